"""Which candidate to train next. Knows neither Optuna nor where candidates come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.search.cost_aware.improvement import (
    build_cells,
    expected_hypervolume_improvement,
    hypervolume,
)
from experiments.search.cost_aware.surrogate import Surrogate, fit_surrogate

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

STARTS = 5
"""Candidates that are trained before anything is predicted."""
COST_MARGIN = 0.05
"""How far beyond the dearest candidate costs are bounded, as a share of their range: it counts too."""
MOST_COMPARED = 1_000_000
"""Pairs of a candidate and a known loss, by which a choice takes a fraction of a second; of more candidates,
a part is drawn by lot."""
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
    cost_weight: float = 1.0
    _fitted: dict[bytes, Surrogate] = field(default_factory=dict)

    def choose(self, known: Known, generator: np.random.Generator) -> Choice | None:
        """The candidate with the most expected improvement of the front's hypervolume per FLOP; None if all
        are taken.

        Until enough is known, it is the one that lies farthest from all that were taken.

        Raises:
            ValueError, numpy.linalg.LinAlgError: the losses cannot be modelled.
        """
        taken = sorted(known.taken)
        free = np.setdiff1d(np.arange(len(self.candidates)), taken)
        if not len(free):
            return None
        if len(known.rows) < STARTS:
            return Choice(self._farthest(free, taken, generator), None)
        if len(free) > (most := MOST_COMPARED // len(known.rows)):
            free = np.sort(generator.choice(free, most, replace=False))
        gains, found = self._gains(free, known)
        best = int(np.argmax(gains / self._to_spend(known.stopped)[free] ** self.cost_weight))
        left = float(gains.max()) / found if found > 0 else None
        return Choice(int(free[best]), float(gains[best]), left)

    def _to_spend(self, stopped: Stopped) -> Array:
        """Training FLOPs that each candidate has yet to cost."""
        flops = self.candidates.train_flops.copy()
        flops[list(stopped.rows)] *= 1 - stopped.spent
        return flops

    def _farthest(self, free: Rows, taken: Sequence[int], generator: np.random.Generator) -> int:
        if not taken:
            return int(generator.choice(free))
        features = self.candidates.features
        away = np.min([((features[free] - features[row]) ** 2).sum(axis=1) for row in taken], axis=0)
        return int(free[np.argmax(away)])

    def _gains(self, free: Rows, known: Known) -> tuple[Array, float]:
        """What each of the free ones is expected to add, and the hypervolume that is found already."""
        features, stopped = self.candidates.features, known.stopped
        rows, pending = np.array(known.rows, dtype=np.intp), np.array(known.pending, dtype=np.intp)
        surrogate = self._surrogate(rows, known.losses)
        seen = np.append(rows, np.array(stopped.rows, dtype=np.intp))
        expected = np.append(known.losses, stopped.losses)
        unsure = np.append(np.zeros(len(rows)), stopped.deviations)
        # Those that are being trained are believed to turn out as predicted: nothing like them is proposed.
        believed = surrogate.predict(features[seen], expected, features[pending], unsure).mean
        trained, losses = np.append(rows, pending), np.append(known.losses, believed)
        predicted = surrogate.predict(
            features[np.append(seen, pending)],
            np.append(expected, believed),
            features[free],
            np.append(unsure, np.zeros(len(pending))),
        )
        costs = self._costs(rows, np.append(pending, free), known.measured)
        worst = float(losses.max())
        bound = np.full(costs.shape[1], 1.0 + COST_MARGIN)
        cells = build_cells(losses, costs[: len(trained)], worst, bound)
        gained = expected_hypervolume_improvement(
            predicted.mean, predicted.deviation, costs[len(trained) :], cells
        )
        spread = (worst - float(losses.min())) or 1.0
        found = hypervolume(losses, costs[: len(trained)], worst, bound)
        return gained / spread, found / spread

    def _costs(self, rows: Rows, others: Rows, measured: Array) -> Array:
        """The costs of all, those with a loss first: known, or predicted where only training tells them."""
        features = self.candidates.features
        columns = [self.candidates.costs[np.append(rows, others)]]
        for own in measured.T:
            predicted = self._surrogate(rows, own).predict(features[rows], own, features[others]).mean
            column = np.append(own, predicted)
            columns.append(((column - column.min()) / (np.ptp(column) or 1.0))[:, None])
        return np.column_stack(columns)

    def _surrogate(self, rows: Rows, values: Array) -> Surrogate:
        """Of the first so many that a kernel is fitted to."""
        count = fitted_count(len(rows))
        key = rows[:count].tobytes() + values[:count].tobytes()
        if key not in self._fitted:
            self._fitted[key] = fit_surrogate(self.candidates.features[rows[:count]], values[:count])
        return self._fitted[key]


def fitted_count(known: int) -> int:
    """How many of so many known losses the kernel is fitted to: all at first, later in steps that grow.

    It depends on the number alone, so that a search which is continued goes on with the same kernel.
    """
    count = min(known, ALWAYS_REFITTED)
    while (following := int(count * REFIT_GROWTH)) <= known and following > count:
        count = following
    return count
