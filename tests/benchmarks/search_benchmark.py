"""How much of the best front searches find, for how much training: replayed on tables of known losses.

    python tests/benchmarks/search_benchmark.py --hwgpt FILE.csv [--seeds 20] [--out search.md]

Each sampler searches each table with each seed, and is told the table's loss of what it proposes. The front's
hypervolume is in loss and the logarithm of one cost, bounded by the worst of the table, as a share of that of
the whole table. Ours chooses among the rows. Optuna's samplers propose values one by one; what is no row of
the table, or one that was taken, is given the nearest row that was not.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import optuna
import pandas as pd
from optuna.samplers import BaseSampler
from search_tables import Table, read_hwgpt
from tabulate import tabulate

from experiments.search.cost_aware.choose import Candidates, Chooser, Known
from experiments.search.cost_aware.improvement import hypervolume

SHARES = (0.95, 0.98, 0.99)
OURS = "cost_aware"
OTHERS: dict[str, tuple[Callable[[int], BaseSampler], int]] = {
    "tpe": (lambda seed: optuna.samplers.TPESampler(seed=seed), 1500),
    "tpe, multivariate": (lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True), 1500),
    "nsga2": (lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=20), 3000),
    "nsga3": (lambda seed: optuna.samplers.NSGAIIISampler(seed=seed, population_size=20), 3000),
    "gp": (lambda seed: optuna.samplers.GPSampler(seed=seed), 100),
    "random": (lambda seed: optuna.samplers.RandomSampler(seed=seed), 4000),
}
"""By name, with the most evaluations: what has not been found by then counts as having needed more."""


@dataclass(frozen=True)
class Found:
    """What one search of one table found.

    Args:
        evaluations: Needed for each of the shares; None if more than were made.
        flops: The same in training FLOPs, as a share of those of the whole table.
        seconds: Of the sampler, a proposal.
    """

    evaluations: list[int | None]
    flops: list[float | None]
    seconds: float


class Nearest:
    """The rows of a table by their distance from proposed values, each given once."""

    def __init__(self, chosen: pd.DataFrame) -> None:
        self.low, self.range = chosen.min(), (chosen.max() - chosen.min()).replace(0, 1)
        self.rows = ((chosen - self.low) / self.range).fillna(-1.0).to_numpy(float)
        self.names = list(chosen)
        self.free = np.ones(len(chosen), dtype=bool)

    def take(self, values: dict[str, float]) -> int:
        """The nearest row that is not taken yet."""
        asked = np.array(
            [
                (values[name] - self.low[name]) / self.range[name] if name in values else -1.0
                for name in self.names
            ]
        )
        away = np.abs(self.rows - asked).sum(axis=1)
        away[~self.free] = np.inf
        row = int(np.argmin(away))
        self.free[row] = False
        return row


def search_ours(table: Table, cost: str, seed: int, most: int) -> Iterator[int]:
    """Rows in the order in which our sampler takes them."""
    chooser = Chooser(Candidates(table.features, table.scaled(cost), table.train_flops))
    rows: list[int] = []
    while len(rows) < most:
        measured = np.zeros((len(rows), 0))
        known = Known(rows, table.losses[rows], measured, (), frozenset(rows))
        choice = chooser.choose(known, np.random.default_rng([seed, len(rows)]))
        assert choice is not None
        rows.append(choice.row)
        yield choice.row


def search_theirs(table: Table, cost: str, sampler: BaseSampler, most: int) -> Iterator[int]:
    """Rows in the order in which a sampler of Optuna comes to them."""
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
    nearest, scaled = Nearest(table.chosen), table.scaled(cost)[:, 0]
    options = {name: sorted(table.chosen[name].dropna().unique().tolist()) for name in table.chosen}
    for _ in range(most):
        trial = study.ask()
        values: dict[str, float] = {}
        for name, known in options.items():
            if not _is_asked(name, values):
                continue
            index = trial.suggest_int(name, 0, len(known) - 1)
            values[name] = known[index]
        row = nearest.take(values)
        study.tell(trial, [float(table.losses[row]), float(scaled[row])])
        yield row


def _is_asked(name: str, values: dict[str, float]) -> bool:
    """Whether a layer is there."""
    if not name.startswith("layers["):
        return True
    return int(name[len("layers[") : name.index("]")]) < values["n_layer"]


def follow(table: Table, cost: str, rows: Iterator[int]) -> Found:
    """How soon a search comes to the shares; it ends with the last of them."""
    scaled, bound, worst = table.scaled(cost), np.ones(1), float(table.losses.max())
    whole = hypervolume(table.losses, scaled, worst, bound)
    evaluations: list[int | None] = [None] * len(SHARES)
    flops: list[float | None] = [None] * len(SHARES)
    taken: list[int] = []
    spent, begun, judging = 0.0, time.perf_counter(), 0.0
    for row in rows:
        start = time.perf_counter()
        taken.append(row)
        spent += float(table.train_flops[row])
        share = hypervolume(table.losses[taken], scaled[taken], worst, bound) / whole
        for place, wanted in enumerate(SHARES):
            if evaluations[place] is None and share >= wanted:
                evaluations[place], flops[place] = len(taken), spent / float(table.train_flops.sum())
        judging += time.perf_counter() - start
        if evaluations[-1] is not None:
            break
    seconds = (time.perf_counter() - begun - judging) / len(taken)
    return Found(evaluations, flops, seconds)


def main() -> None:
    """Search all tables with all samplers and print what they needed."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--hwgpt", type=Path, help="HW-GPT-Bench's space S as a CSV file")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--samplers", nargs="+", default=[OURS, *OTHERS], choices=[OURS, *OTHERS])
    parser.add_argument("--costs", nargs="+", help="of a table, instead of all")
    parser.add_argument("--most", type=int, default=200, help="evaluations of ours")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    tables = [] if asked.hwgpt is None else [read_hwgpt(asked.hwgpt)]
    rows = []
    for table in tables:
        for cost in asked.costs or table.costs:
            for name in asked.samplers:
                found = []
                for seed in range(asked.seeds):
                    if name == OURS:
                        order = search_ours(table, cost, seed, asked.most)
                    else:
                        build, most = OTHERS[name]
                        order = search_theirs(table, cost, build(seed), most)
                    found.append(follow(table, cost, order))
                rows.append([f"{table.name}, {cost}", name, *_tell(found)])
                print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    heads = ["table", "sampler"]
    heads += [f"{share:.0%}: evaluations" for share in SHARES]
    heads += [f"{share:.0%}: FLOPs" for share in SHARES] + ["ms a proposal"]
    text = "# Searches\n\n" + tabulate(rows, heads, "github") + "\n"
    print(text)
    if asked.out:
        asked.out.write_text(text)


def _tell(found: list[Found]) -> list[str]:
    cells = [_spread([one.evaluations[place] for one in found], "{:.0f}") for place in range(len(SHARES))]
    cells += [_spread([one.flops[place] for one in found], "{:.2%}") for place in range(len(SHARES))]
    return [*cells, f"{1e3 * median(one.seconds for one in found):.0f}"]


def _spread(values: list[int | None] | list[float | None], form: str) -> str:
    """Median and the middle half; `more` where that many did not get there."""
    numbers = sorted(float("inf") if value is None else value for value in values)
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75], method="inverted_cdf")
    told = [form.format(one) if np.isfinite(one) else "more" for one in (middle, low, high)]
    return f"{told[0]} ({told[1]}–{told[2]})"


if __name__ == "__main__":
    main()
