"""Which candidate to train next. Knows neither Optuna nor where candidates come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.search.cost_aware.improvement import (
    Cells,
    build_cells,
    expected_hypervolume_improvement,
    most_improvement,
    volume_found,
)
from experiments.search.cost_aware.posterior import Posterior, Prediction
from experiments.search.cost_aware.surrogate import fit_surrogate

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

STARTS = 5
"""Candidates that are trained before anything is predicted."""
COST_MARGIN = 0.05
"""How far beyond the dearest candidate costs are bounded, as a share of their range: it counts too."""
MOST_COMPARED = 30_000_000
"""Pairs of a candidate and a known loss, of 8 bytes each; of more candidates, a part is drawn by lot."""
FIRST_WEIGHED = 64
"""Candidates of which the improvement is computed first; most others are then known to promise less."""
AS_GOOD = 1 - 1e-9
"""Candidates that differ in rounding alone are equal: the first is chosen, however its worth was computed."""
COST_WEIGHT = 0.5
"""Between improvement a training (0) and a FLOP (1): a training is never only as dear as its FLOPs."""
ALWAYS_REFITTED = 30
"""Known losses up to which the kernel is fitted anew with each."""
REFIT_GROWTH = 1.1
"""By so much they grow afterwards before it is fitted anew."""


@dataclass(frozen=True)
class Candidates:
    """What may be trained, as numbers.

    Args:
        features: From 0 to 1, (N, d).
        costs: Objectives that are known; less is better, each from 0 to 1 over the candidates, (N, k).
        train_flops: Of each training; equal numbers where they are not known, (N,).
    """

    features: Array
    costs: Array
    train_flops: Array

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Stopped:
    """Candidates whose training was stopped: what is expected of them, and what going on would cost.

    Args:
        rows: Of the candidates.
        losses: Expected at the end, (s,).
        deviations: Of those, (s,).
        spent: Shares of their training FLOPs, (s,).
    """

    rows: Sequence[int] = ()
    losses: Array = field(default_factory=lambda: np.zeros(0))
    deviations: Array = field(default_factory=lambda: np.zeros(0))
    spent: Array = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Known:
    """What was found so far, in the order of the trials.

    Args:
        rows: Candidates with a loss.
        losses: Theirs, (n,).
        measured: Objectives that only a training tells, beside the loss; less is better, (n, m).
        pending: Candidates that are being trained.
        taken: All that were proposed and cannot be again, whatever became of them.
        stopped: Those that can be taken up.
    """

    rows: Sequence[int]
    losses: Array
    measured: Array
    pending: Sequence[int] = ()
    taken: frozenset[int] = frozenset()
    stopped: Stopped = field(default_factory=Stopped)


@dataclass(frozen=True)
class Choice:
    """A candidate, and what its training is expected to add to the front.

    Args:
        row: Of the candidate.
        gain: Expected increase of the hypervolume, as a share of the range of losses and costs; None before
            anything is predicted.
        left: The most that any candidate is expected to add, as a share of the hypervolume found so far.
    """

    row: int
    gain: float | None
    left: float | None = None


@dataclass
class Chooser:
    """Chooses among candidates. What it keeps between choices is only what it would compute again.

    Args:
        candidates: All there are.
        cost_weight: The power of the training FLOPs that an improvement is divided by.
    """

    candidates: Candidates
    cost_weight: float = COST_WEIGHT
    _posteriors: dict[int, tuple[bytes, Posterior]] = field(default_factory=dict)

    def choose(self, known: Known, generator: np.random.Generator) -> Choice | None:
        """The candidate with the most expected improvement of the front's hypervolume for its FLOPs; None if
        all are taken.

        Until enough is known, it is the one that lies farthest from all that were taken, for its price.

        Raises:
            ValueError, numpy.linalg.LinAlgError: the losses cannot be modelled.
        """
        taken = sorted(known.taken)
        free = np.setdiff1d(np.arange(len(self.candidates)), taken)
        if not len(free):
            return None
        if len(known.rows) < STARTS:
            return Choice(self._farthest(free, taken, generator), None)
        pool = self._pool(known)
        compared = np.intersect1d(free, pool)
        if not len(compared):
            return Choice(int(generator.choice(free)), None)
        return self._most_for_its_price(compared, pool, known)

    def _most_for_its_price(self, free: Rows, pool: Rows, known: Known) -> Choice:
        prices = self._to_spend(known.stopped)[free] ** self.cost_weight
        gains, found = self._gains(free, pool, known, prices)
        worth = gains / prices
        best = int(np.argmax(worth >= worth.max() * AS_GOOD))
        left = float(gains.max()) / found if found > 0 else None
        return Choice(int(free[best]), float(gains[best]), left)

    def _to_spend(self, stopped: Stopped) -> Array:
        """Training FLOPs that each candidate has yet to cost."""
        flops = self.candidates.train_flops.copy()
        flops[list(stopped.rows)] *= 1 - stopped.spent
        return flops

    def _farthest(self, free: Rows, taken: Sequence[int], generator: np.random.Generator) -> int:
        """The one that lies farthest from those that were taken, for its price; the first is drawn by lot."""
        cheap = self.candidates.train_flops[free] ** -self.cost_weight
        if not taken:
            return int(generator.choice(free, p=cheap / cheap.sum()))
        features = self.candidates.features
        away = np.min([((features[free] - features[row]) ** 2).sum(axis=1) for row in taken], axis=0)
        return int(free[np.argmax(np.sqrt(away) * cheap)])

    def _pool(self, known: Known) -> Rows:
        """The candidates that are compared: those with a loss, and others until twice as many have one."""
        seen = [*known.rows, *known.stopped.rows, *known.pending]
        most = MOST_COMPARED >> len(seen).bit_length()
        every = np.arange(len(self.candidates))
        if len(every) <= most:
            return every
        return np.union1d(np.random.default_rng(most).choice(every, most, replace=False), seen)

    def _gains(self, free: Rows, pool: Rows, known: Known, prices: Array) -> tuple[Array, float]:
        """What each of the free ones is expected to add, and the hypervolume that is found already.

        It is 0 for those that are known to be neither the most nor the most for their price.
        """
        rows = list(known.rows)
        pending = [row for row in known.pending if row not in {*rows, *known.stopped.rows}]
        predicted, losses = self._predict(pool, known, pending)
        costs = self._costs(pool, rows, known.measured)
        trained = costs[np.searchsorted(pool, [*rows, *pending])]
        worst = float(losses.max())
        cells = build_cells(losses, trained, worst, np.full(costs.shape[1], 1.0 + COST_MARGIN))
        spread = (worst - float(losses.min())) or 1.0
        place = np.searchsorted(pool, free)
        gains = _weigh(predicted.mean[place], predicted.deviation[place], costs[place], cells, prices)
        return gains / spread, volume_found(cells, worst) / spread

    def _predict(self, pool: Rows, known: Known, pending: Sequence[int]) -> tuple[Prediction, Array]:
        """The losses of all that are compared, and those on the front: known, or of what is being trained.

        What is being trained is believed to turn out as predicted: so nothing like it is proposed.
        """
        stopped, count = known.stopped, len(known.rows)
        posterior = self._posterior(0, pool, known.rows, known.losses)
        seen = np.searchsorted(pool, [*known.rows, *stopped.rows, *pending]).tolist()
        unsure = np.append(np.zeros(count), stopped.deviations)
        expected = np.append(known.losses, stopped.losses)
        predicted = posterior.predict(seen[: len(expected)], expected, unsure)
        if not pending:
            return predicted, known.losses
        believed = predicted.mean[seen[len(expected) :]]
        unsure = np.append(unsure, np.zeros(len(pending)))
        predicted = posterior.predict(seen, np.append(expected, believed), unsure)
        return predicted, np.append(known.losses, believed)

    def _costs(self, pool: Rows, rows: Sequence[int], measured: Array) -> Array:
        """The costs of all that are compared: known, or predicted where only training tells them."""
        columns = [self.candidates.costs[pool]]
        for place, own in enumerate(measured.T, start=1):
            known = np.searchsorted(pool, rows).tolist()
            column = self._posterior(place, pool, rows, own).predict(known, own).mean
            column[known] = own
            columns.append(((column - column.min()) / (np.ptp(column) or 1.0))[:, None])
        return np.column_stack(columns)

    def _posterior(self, place: int, pool: Rows, rows: Sequence[int], values: Array) -> Posterior:
        """Of an objective, by the first so many of its values that a kernel is fitted to."""
        count = fitted_count(len(rows))
        key = np.array(rows[:count]).tobytes() + values[:count].tobytes() + pool.tobytes()
        if self._posteriors.get(place, (b"",))[0] != key:
            features = self.candidates.features
            surrogate = fit_surrogate(features[list(rows[:count])], values[:count])
            self._posteriors[place] = (key, Posterior(surrogate, features[pool]))
        return self._posteriors[place][1]


def _weigh(mean: Array, deviation: Array, costs: Array, cells: Cells, prices: Array) -> Array:
    """The expected improvement of each that may be the largest, or the largest for its price; 0 of others."""
    gains = np.zeros(len(mean))
    most = most_improvement(mean, deviation, costs, cells)
    weighed = np.union1d(_largest(most), _largest(most / prices))
    for _ in range(2):
        gains[weighed] = expected_hypervolume_improvement(
            mean[weighed], deviation[weighed], costs[weighed], cells
        )
        promising = (most >= gains.max()) | (most / prices >= (gains / prices).max())
        promising[weighed] = False
        weighed = np.flatnonzero(promising)
    return gains


def _largest(values: Array) -> Rows:
    most = min(FIRST_WEIGHED, len(values))
    return np.argpartition(values, len(values) - most)[-most:]


def fitted_count(known: int) -> int:
    """How many of so many known losses the kernel is fitted to: all at first, later in steps that grow.

    It depends on the number alone, so that a search which is continued goes on with the same kernel.
    """
    count = min(known, ALWAYS_REFITTED)
    while (following := int(count * REFIT_GROWTH)) <= known and following > count:
        count = following
    return count
