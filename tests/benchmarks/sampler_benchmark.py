"""How long a proposal takes where much is known, and how long Optuna's storage takes for a trial.

    python tests/benchmarks/sampler_benchmark.py [--known 1000] [--candidates 10000] [--proposals 40] [--out sampler.md]

Candidates are random points of a cube with one cost; losses are a smooth law with noise. Proposals are measured
from `--known` losses on, each told its loss, so that the fits of the kernel which fall among them are counted.
The storage is SQLite, as a search uses it, with what a trial of a search sets and is told.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from experiments.search.cost_aware.choose import Candidates, Chooser, Known

Array = NDArray[np.float64]
FEATURES = 9


def measure_proposals(count: int, known: int, proposals: int) -> list[float]:
    """Seconds of each proposal, from so many known losses on."""
    chance = np.random.default_rng(0)
    features = chance.uniform(size=(count, FEATURES))
    cost = features[:, :3].mean(axis=1)
    losses = 4 - cost - 0.3 * np.sin(3 * features[:, 3]) + 0.005 * chance.normal(size=count)
    chooser = Chooser(Candidates(features, cost[:, None], 10**cost))
    rows = list(map(int, chance.choice(count, known - 1, replace=False)))
    seconds = []
    for number in range(proposals + 1):
        told = Known(rows, losses[rows], np.zeros((len(rows), 0)), (), frozenset(rows))
        begun = time.process_time()
        choice = chooser.choose(told, np.random.default_rng(number))
        seconds.append(time.process_time() - begun)
        assert choice is not None
        rows.append(choice.row)
    return seconds


def main() -> None:
    """Measure both and print them."""
    asked = _parse()
    first, *seconds = measure_proposals(asked.candidates, asked.known, asked.proposals)
    rows = [
        ["a proposal", *_tell(seconds)],
        ["the first of a search that goes on", *_tell([first])],
    ]
    text = "\n\n".join(
        [
            "# Proposals",
            "`python tests/benchmarks/sampler_benchmark.py`",
            f"{platform.machine()}, {os.cpu_count()} cores, {os.environ.get('OMP_NUM_THREADS', 'all')} threads; "
            f"Python {platform.python_version()}, numpy {version('numpy')}, optuna {version('optuna')}. "
            f"{asked.known:,} known losses, {asked.candidates:,} candidates.",
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
