"""Searches of tables of known losses: in which order a sampler takes the rows, and what it found."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optuna.samplers import BaseSampler
from search_tables import Table

from experiments.front import is_on_front
from experiments.search.cost_aware.choose import Candidates, Chooser, Known
from experiments.search.cost_aware.improvement import hypervolume

Array = NDArray[np.float64]

SHARES = (0.95, 0.98, 0.99)
"""Of the hypervolume of the whole table; a search ends with the last of them."""
OURS = "cost_aware"
OTHERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "tpe, multivariate": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True),
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=20),
    "nsga3": lambda seed: optuna.samplers.NSGAIIISampler(seed=seed, population_size=20),
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


@dataclass(frozen=True)
class Search:
    """Which search of which table.

    Args:
        table: Its name.
        cost: What the loss is held against.
        sampler: `OURS`, or a name of `OTHERS`.
        seed: Of all that is drawn by lot.
        most: Evaluations at most.
    """

    table: str
    cost: str
    sampler: str
    seed: int
    most: int


@dataclass(frozen=True)
class Progress:
    """What a search has found after each evaluation.

    Args:
        shares: Of the whole table's hypervolume, (n,).
        flops: Spent on training so far, as a share of those of the whole table, (n,).
    """

    shares: Array
    flops: Array

    def evaluations(self, share: float) -> int | None:
        """How many it took to come to a share; None if it did not."""
        reached = np.flatnonzero(self.shares >= share)
        return int(reached[0]) + 1 if len(reached) else None

    def spent(self, share: float) -> float | None:
        """The training FLOPs that it took, as a share of those of the whole table."""
        count = self.evaluations(share)
        return None if count is None else float(self.flops[count - 1])


class Front:
    """The hypervolume of what was trained so far, in loss and one cost, as a share of the whole table's."""

    def __init__(self, table: Table, cost: str) -> None:
        self.losses, self.costs = table.losses, table.scaled(cost)
        self.worst = float(table.losses.max())
        self.whole = self._volume(np.arange(len(self.losses)))
        self.rows = np.empty(0, dtype=np.intp)
        self.share = 0.0

    def add(self, row: int) -> float:
        """The share with one more row."""
        no_worse = self.losses[self.rows] <= self.losses[row]
        if not np.any(no_worse & (self.costs[self.rows, 0] <= self.costs[row, 0])):
            rows = np.append(self.rows, row)
            points = np.column_stack((self.losses[rows], self.costs[rows]))
            self.rows = rows[is_on_front(points, ["minimize"] * points.shape[1])]
            self.share = self._volume(self.rows) / self.whole
        return self.share

    def _volume(self, rows: NDArray[np.intp]) -> float:
        return hypervolume(self.losses[rows], self.costs[rows], self.worst, np.ones(1))


def run_search(table: Table, search: Search) -> tuple[list[int], float]:
    """The rows in the order of a search until it has found enough, and the seconds that a proposal took."""
    front, rows = Front(table, search.cost), list[int]()
    spent, begun = 0.0, time.process_time()
    for row in _order(table, search):
        spent += time.process_time() - begun
        rows.append(row)
        if front.add(row) >= SHARES[-1]:
            break
        begun = time.process_time()
    return rows, spent / len(rows)


def follow(table: Table, cost: str, rows: list[int]) -> Progress:
    """What a search found that came to rows in this order."""
    front = Front(table, cost)
    shares = np.array([front.add(row) for row in rows])
    return Progress(shares, np.cumsum(table.train_flops[rows]) / table.train_flops.sum())


def _order(table: Table, search: Search) -> Iterator[int]:
    if search.sampler == OURS:
        return _order_of_ours(table, search)
    return _order_of_theirs(table, search, OTHERS[search.sampler](search.seed))


def _order_of_ours(table: Table, search: Search) -> Iterator[int]:
    chooser = Chooser(Candidates(table.features, table.scaled(search.cost), table.train_flops))
    rows: list[int] = []
    while len(rows) < search.most:
        known = Known(rows, table.losses[rows], np.zeros((len(rows), 0)), (), frozenset(rows))
        choice = chooser.choose(known, np.random.default_rng([search.seed, len(rows)]))
        if choice is None:
            return
        rows.append(choice.row)
        yield choice.row


def _order_of_theirs(table: Table, search: Search, sampler: BaseSampler) -> Iterator[int]:
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
    nearest, scaled = Nearest(table.chosen), table.scaled(search.cost)[:, 0]
    options = {name: sorted(table.chosen[name].dropna().unique().tolist()) for name in table.chosen}
    for _ in range(min(search.most, len(table.losses))):
        trial = study.ask()
        values: dict[str, float] = {}
        for name, known in options.items():
            if table.is_asked(name, values):
                values[name] = known[trial.suggest_int(name, 0, len(known) - 1)]
        row = nearest.take(values)
        study.tell(trial, [float(table.losses[row]), float(scaled[row])])
        yield row


class Nearest:
    """The rows of a table by their distance from proposed values, each given once."""

    def __init__(self, chosen: pd.DataFrame) -> None:
        self.low, self.range = chosen.min(), (chosen.max() - chosen.min()).replace(0, 1)
        self.rows = ((chosen - self.low) / self.range).fillna(-1.0).to_numpy(float)
        self.free = np.ones(len(chosen), dtype=bool)

    def take(self, values: dict[str, float]) -> int:
        """The nearest row that is not taken yet; what is not asked for lies as far from 0 as 1 does."""
        asked = [
            (values[name] - self.low[name]) / self.range[name] if name in values else -1.0
            for name in self.low.index
        ]
        away = np.abs(self.rows - np.array(asked)).sum(axis=1)
        away[~self.free] = np.inf
        row = int(np.argmin(away))
        self.free[row] = False
        return row
