"""What stopping early saves, and what it costs: replayed on the learning curves of an exhaustive table.

    python tests/benchmarks/stopping_benchmark.py [--seeds 20] [--trials 100] [--out stopping.md]

Trials come in a random order. At each rung `FrontRule` judges them by those before, as a search does; a
stopped one costs its share of the FLOPs. What is saved is held against training the same trials to the end.
A stop was a mistake where the trial would have been on the front of all these trials; a forecast was too sure
where the true final loss lies below the optimistic view: 1 - confidence of all forecasts should be, and more
are among those that led to a stop.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from experiments.front import is_on_front
from experiments.record import CurvePoint, Status, TrialRecord
from experiments.search.cost_aware.improvement import hypervolume
from experiments.search.stopping.front import FrontRule
from experiments.search.stopping.rule import Case, Rung

FOLDER = Path(__file__).parent / "exhaustive"
OBJECTIVES = ("validation_loss", "train_flops")
LADDERS = ((0.25,), (0.5,), (0.25, 0.5), (0.25, 0.5, 0.75))
CONFIDENCES = (0.8, 0.95, 0.99)


@dataclass
class Counts:
    """What happened in searches with one ladder and one confidence."""

    stopped: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    mistakes: int = 0
    too_sure: int = 0
    stops: int = 0


def load_records(folder: Path) -> list[TrialRecord]:
    """The architectures of the table as a search records them."""
    trials = pd.read_parquet(folder / "trials.parquet")
    trials = trials[trials["part"] == "architectures"].reset_index(drop=True)
    curves = pd.read_parquet(folder / "curves.parquet")
    curves = curves[curves["part"] == "architectures"]
    points = {
        str(name): rows.sort_values("step") for name, rows in curves.groupby("config_hash", observed=True)
    }
    return [
        TrialRecord(
            trial=number,
            variant=f"trial {number}",
            seed=int(row["seed"]),
            status=Status.COMPLETE,
            config={},
            config_hash=str(row["config_hash"]),
            params=int(row["params"]),
            train_flops=int(row["train_flops"]),
            validation_loss=float(row["validation_loss"]),
            curve=[
                CurvePoint(
                    step=int(point["step"]),
                    tokens=int(point["tokens"]),
                    train_flops=int(point["train_flops"]),
                    seconds=0.0,
                    train_loss=float(point["train_loss"]),
                    validation_loss=float(point["validation_loss"]),
                )
                for _, point in points[str(row["config_hash"])].iterrows()
            ],
        )
        for number, row in trials.iterrows()
    ]  # fmt: skip


def search(records: list[TrialRecord], shares: tuple[float, ...], confidence: float, counts: Counts) -> None:
    """Replay one search, whose trials are numbered as they come."""
    rule, ended = FrontRule(OBJECTIVES, confidence), list[list[TrialRecord]]()
    points = len(records[0].curve)
    rungs = [Rung(share, round(share * points)) for share in shares]
    numbers = [(one.validation_loss, one.train_flops) for one in records]
    on_front = is_on_front(numbers, ["minimize", "minimize"])
    spent, stopped = 0.0, 0
    for number, record in enumerate(records):
        own = record.model_copy(update={"trial": number})
        stop = None
        for rung in rungs:
            part = own.model_copy(
                update={"status": Status.STOPPED, "validation_loss": None, "curve": own.curve[: rung.point]}
            )
            stop = rule.judge(Case(number, own, [part]), rung, ended)
            if stop is not None:
                assert own.validation_loss is not None
                assert stop.optimistic_loss is not None
                stopped += 1
                counts.stops += 1
                counts.mistakes += bool(on_front[number])
                counts.too_sure += own.validation_loss < stop.optimistic_loss
                spent += rung.share * (own.train_flops or 0)
                ended.append([part])
                break
        if stop is None:
            spent += own.train_flops or 0
            ended.append([own])
    whole = sum(one.train_flops or 0 for one in records)
    complete = [one[0] for one in ended if one[0].status is Status.COMPLETE]
    counts.stopped.append(stopped / len(records))
    counts.saved.append(1 - spent / whole)
    counts.kept.append(_volume(complete, records) / _volume(records, records))


def _volume(found: list[TrialRecord], among: list[TrialRecord]) -> float:
    """Hypervolume in loss and the logarithm of training FLOPs, bounded by the worst of all."""
    logs = np.log([float(one.train_flops or 0) for one in among])
    losses = np.array([one.validation_loss for one in found], dtype=float)
    scaled = (np.log([float(one.train_flops or 0) for one in found]) - logs.min()) / np.ptp(logs)
    worst = max(one.validation_loss or 0.0 for one in among)
    return hypervolume(losses, scaled[:, None], worst, np.ones(1))


def main() -> None:
    """Replay searches with all ladders and confidences, and print what stopping saved and cost."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--table", type=Path, default=FOLDER)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    records = load_records(asked.table)
    rows = []
    for shares in LADDERS:
        for confidence in CONFIDENCES:
            counts = Counts()
            for seed in range(asked.seeds):
                order = np.random.default_rng(seed).permutation(len(records))[: asked.trials]
                search([records[place] for place in order], shares, confidence, counts)
            rows.append(_row(shares, confidence, counts))
    heads = [
        "rungs",
        "confidence",
        "trials stopped",
        "FLOPs saved",
        "hypervolume kept",
        "mistakes",
        "too sure",
    ]
    title = f"# Stopping early, {asked.trials} trials in a random order, {asked.seeds} seeds\n\n"
    text = title + tabulate(rows, heads, "github") + "\n"
    print(text)
    if asked.out:
        asked.out.write_text(text)


def _row(shares: tuple[float, ...], confidence: float, counts: Counts) -> list[str]:
    told = [f"{np.median(counts.stopped):.0%}"]
    for values in (counts.saved, counts.kept):
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        told.append(f"{middle:.1%} ({low:.1%}–{high:.1%})")
    of_stops = max(1, counts.stops)
    mistakes = f"{counts.mistakes} of {counts.stops}"
    return [
        ", ".join(f"{share:g}" for share in shares),
        f"{confidence:g}",
        *told,
        mistakes,
        f"{counts.too_sure / of_stops:.1%}",
    ]


if __name__ == "__main__":
    main()
