"""How long a proposal takes where much is known, and what a trial takes beside it in Optuna's storage.

    python tests/benchmarks/sampler_benchmark.py [--known 1000] [--candidates 10000] [--proposals 40]
        [--out sampler.md]

Candidates are random points of eight whole numbers with one cost; losses are a smooth law with noise. The
study is in SQLite, as that of a search, and holds `--known` trials; further ones are asked for, told what a
search tells, and clocked, so that fits of the kernel which fall among them count. Times are those of the
processor, which others do not lengthen.
"""

import argparse
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.study import Study
from tabulate import tabulate

from experiments.objectives import find_objective
from experiments.search.cost_aware.choose import Candidates, Choice, Chooser, Known
from experiments.search.cost_aware.points import SearchPoints
from experiments.search.cost_aware.sampler import PROPOSAL, CostAwareSampler
from experiments.search.study import FOLDER, open_storage
from experiments.search.suggest import distribution_of, suggest
from registry.domains import Int

Array = NDArray[np.float64]
DOMAINS = {f"layers[{layer}].n_heads": Int(low=1, high=12) for layer in range(8)}
OBJECTIVES = ("validation_loss", "params")


class Clocked(Chooser):
    """Tells how long it took to choose."""

    seconds = 0.0

    def choose(self, known: Known, generator: np.random.Generator) -> Choice | None:
        begun = time.process_time()
        choice = super().choose(known, generator)
        self.seconds += time.process_time() - begun
        return choice


def make_points(count: int) -> tuple[SearchPoints, Array]:
    """Random candidates, and a loss for each."""
    chance = np.random.default_rng(0)
    values = np.unique(chance.integers(1, 13, size=(count, len(DOMAINS))), axis=0)
    features = (values - 1) / 11
    cost = features.mean(axis=1)
    losses = 4 - cost - 0.3 * np.sin(3 * features[:, 0]) + 0.005 * chance.normal(size=len(values))
    loss, params = map(find_objective, OBJECTIVES)
    candidates = Candidates(features, cost[:, None], 10**cost)
    parameters = [dict(zip(DOMAINS, row.tolist(), strict=True)) for row in values]
    return SearchPoints(candidates, parameters, (params,), loss, ()), losses


def fill(study: Study, points: SearchPoints, losses: Array, known: int) -> None:
    """Trials that have ended."""
    distributions = {name: distribution_of(domain) for name, domain in DOMAINS.items()}
    for row in np.random.default_rng(1).choice(len(losses), known, replace=False):
        point = points.parameters[row]
        study.add_trial(
            optuna.trial.create_trial(
                params=point,
                distributions=distributions,
                values=[float(losses[row]), float(points.candidates.costs[row, 0])],
                user_attrs={FOLDER: "runs/search"},
                system_attrs={PROPOSAL: {"point": point, "gain": 0.0, "left": 0.0}},
            )
        )


def run_trial(study: Study, points: SearchPoints, losses: Array) -> None:
    """One as a search runs it, without its training."""
    trial = study.ask()
    trial.set_user_attr(FOLDER, "runs/search")
    point = {name: suggest(trial, name, domain) for name, domain in DOMAINS.items()}
    row = points.find(point)
    assert row is not None
    study.tell(trial, [float(losses[row]), float(points.candidates.costs[row, 0])])


def measure(candidates: int, known: int, trials: int) -> tuple[list[float], list[float]]:
    """Seconds of each proposal, and of the rest of its trial; the first, which fits a kernel, is left out."""
    points, losses = make_points(candidates)
    sampler = CostAwareSampler(points, DOMAINS, OBJECTIVES, 0)
    sampler.chooser = chooser = Clocked(points.candidates)
    proposals, rests = [], []
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/study.db")
        study = optuna.create_study(storage=storage, directions=["minimize"] * 2, sampler=sampler)
        fill(study, points, losses, known)
        for _ in range(trials + 1):
            begun, chooser.seconds = time.process_time(), 0.0
            run_trial(study, points, losses)
            rests.append(time.process_time() - begun - chooser.seconds)
            proposals.append(chooser.seconds)
    return proposals[1:], rests[1:]


def main() -> None:
    """Measure both and print them."""
    asked = _parse()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    proposals, rests = measure(asked.candidates, asked.known, asked.proposals)
    rows = [["a proposal", *_tell(proposals)], ["the rest of a trial: storage", *_tell(rests)]]
    text = "\n\n".join(
        [
            "# Proposals and their storage",
            "`python tests/benchmarks/sampler_benchmark.py`",
            f"{platform.machine()}, {os.environ.get('OMP_NUM_THREADS', os.cpu_count())} threads, "
            f"Python {platform.python_version()}, numpy {version('numpy')}, optuna {version('optuna')}. "
            f"{asked.known:,} known trials of {len(DOMAINS)} parameters, {asked.candidates:,} candidates.",
            tabulate(rows, ["", "median, ms", "90th percentile, ms", "mean, ms"], "github"),
        ]
    )
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", "utf-8")


def _parse() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--known", type=int, default=1000)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--proposals", type=int, default=40)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _tell(seconds: list[float]) -> list[str]:
    numbers = [np.median(seconds), np.quantile(seconds, 0.9), np.mean(seconds)]
    return [f"{1e3 * number:.1f}" for number in numbers]


if __name__ == "__main__":
    main()
