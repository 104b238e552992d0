"""An exhaustive table of real trainings, for searches to be replayed on: made, kept as Parquet, summarised.

    python -m tests.benchmarks.exhaustive_table --out FOLDER > tests/benchmarks/exhaustive.md

Trains what the experiments in `tests/benchmarks/exhaustive/` declare, each in a run folder below FOLDER, and
goes on where an earlier call ended. Then `trials.parquet` and `curves.parquet` are written beside the
experiments, and the summary is printed. `--only-write` does so from finished run folders.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau
from tabulate import tabulate

from experiments.cli.progress import TerminalProgress
from experiments.experiment import Experiment
from experiments.front import is_on_front
from experiments.loading import load_experiment
from experiments.record import TrialRecord
from experiments.run_folder import RunFolder
from experiments.search import run_search

FOLDER = Path(__file__).parent / "exhaustive"
CHOICES = (
    "emb_dim",
    "n_layers",
    "n_heads",
    "context_length",
    "activation",
    "feed_forward.hidden_multiple",
    "position",
)
"""What architectures differ in, by key path."""
COUNTS = (
    "params",
    "params_non_embedding",
    "flops_forward",
    "train_flops",
    "predicted_memory_bytes",
    "kv_cache_bytes",
    "tokens",
)
MEASURED = ("validation_loss", "bits_per_byte", "seconds")
TRAINING = ["part", "learning_rate", "seed", "config_hash"]
"""What names one training, in both tables."""


@dataclass(frozen=True)
class Part:
    """Trainings of one experiment at one learning rate."""

    name: str
    learning_rate: float

    @property
    def experiment(self) -> Experiment:
        """As it is declared, at this learning rate."""
        return load_experiment(FOLDER / f"{self.name}.yaml", {"training.learning_rate": self.learning_rate})

    def run_folder(self, out: Path) -> RunFolder:
        """Where its trainings lie."""
        return RunFolder(out / f"{self.name}-{self.learning_rate:g}")


PARTS = (
    Part("architectures", 3e-3),
    *(Part("learning_rates", rate) for rate in (1e-3, 3e-3, 1e-2)),
    Part("seeds", 3e-3),
)


def train(out: Path) -> None:
    """Train what is not trained yet."""
    with TerminalProgress() as progress:
        for part in PARTS:
            run_search(part.experiment, part.run_folder(out).path, progress)


def collect(out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of trainings and of the points of their curves.

    Raises:
        ValueError: a part is not finished.
    """
    trials, points = [], []
    for part in PARTS:
        records, experiment = part.run_folder(out).load_records(), part.experiment
        assert experiment.space is not None
        wanted = (experiment.space.size or 0) * len(experiment.config.seeds)
        if len(records) != wanted:
            where = part.run_folder(out).path
            raise ValueError(
                f"{where} must hold {wanted} trainings, got {len(records)}; try it without --only-write"
            )
        for record in sorted(records, key=lambda record: (*_choices(record).values(), record.seed)):
            names = (part.name, part.learning_rate, record.seed, record.config_hash)
            named = dict(zip(TRAINING, names, strict=True))
            numbers = {name: getattr(record, name) for name in (*COUNTS, *MEASURED)}
            trials.append({**named, **_choices(record), "status": record.status.value, **numbers})
            points += [{**named, **point.model_dump(exclude={"seconds"})} for point in record.curve]
    return _compact(pd.DataFrame(trials)), _compact(pd.DataFrame(points))


def _choices(record: TrialRecord) -> dict[str, Any]:
    """What was chosen, or is the same throughout the part."""
    config = record.config
    multiple = int(config["feed_forward"]["hidden_multiple"])
    special = {"feed_forward.hidden_multiple": multiple, "position": config["position"]["kind"]}
    return {name: special.get(name, config.get(name)) for name in CHOICES}


def _compact(table: pd.DataFrame) -> pd.DataFrame:
    """Text as categories, measured numbers as float32; counts keep 64 bits, which their products need."""
    kinds = dict.fromkeys(table.select_dtypes(["object", "string"]), "category")
    kinds |= {name: "float32" for name in table.select_dtypes("floating") if name != "learning_rate"}
    return table.astype(kinds)


def summarise(trials: pd.DataFrame, curves: pd.DataFrame, environment: dict[str, Any]) -> str:
    """The page about the table."""
    architectures = trials[trials["part"] == "architectures"]
    held_out = PARTS[0].experiment.config.data.validation_bytes
    python, packages = environment["python"], environment["packages"]
    return "\n\n".join(
        [
            "# An exhaustive table of real trainings",
            "`python -m tests.benchmarks.exhaustive_table --out FOLDER > tests/benchmarks/exhaustive.md`",
            f"Python {python}, torch {packages['torch']}, gpt-zoo {packages['gpt-zoo']}, "
            f"{environment['processor']}, {environment['cores']} cores, of which each training has one. The "
            f"text is the standard library of CPython {python}, as bytes. Each training sees "
            f"{architectures['tokens'].min():,} tokens, or up to a step more. Losses are in nats a byte, on "
            f"the first whole files of {held_out:,} bytes or more that are never trained on.",
            "`exhaustive/trials.parquet` has a row a training, `exhaustive/curves.parquet` one a point of a "
            "learning curve; `part`, `learning_rate`, `seed` and `config_hash` name a training in both. "
            "`seconds` are those of a machine that did other work as well.",
            _tell_parts(trials),
            "## Losses of the architectures",
            _tell_spread(trials),
            "## Their front of loss and training FLOPs",
            _tell_front(architectures),
            "## Mean loss by width and learning rate",
            _tell_rates(trials[trials["part"] == "learning_rates"]),
            "## What early losses tell of the last",
            _tell_ranks(trials, curves),
        ]
    )


def _tell_parts(trials: pd.DataFrame) -> str:
    rows = []
    for (part, rate), rows_of in trials.groupby(["part", "learning_rate"], observed=True):
        flops, hours = rows_of["train_flops"], rows_of["seconds"].sum() / 3600
        architectures, seeds = rows_of["config_hash"].nunique(), sorted(rows_of["seed"].unique().tolist())
        rows.append(
            [
                part,
                f"{rate:g}",
                architectures,
                ", ".join(map(str, seeds)),
                len(rows_of),
                f"{rows_of['params'].min():,} to {rows_of['params'].max():,}",
                f"{flops.min():.2g} to {flops.max():.2g}",
                f"{hours:.2f}",
            ]
        )
    heads = [
        "part",
        "learning rate",
        "architectures",
        "seeds",
        "rows",
        "parameters",
        "training FLOPs",
        "core hours",
    ]
    return tabulate(rows, heads, "github", disable_numparse=True)


def _tell_spread(trials: pd.DataFrame) -> str:
    losses = trials.loc[trials["part"] == "architectures", "validation_loss"]
    low, middle, high = losses.quantile([0.0, 0.5, 1.0])
    noise, freedom = seed_noise(
        trials[(trials["learning_rate"] == 3e-3) & (trials["part"] != "learning_rates")]
    )
    return (
        f"From {low:.3f} to {high:.3f}, median {middle:.3f}, standard deviation {losses.std():.3f}. Between "
        f"seeds of one architecture it is {noise:.4f} (pooled, {freedom} degrees of freedom). "
        + _tell_repeats(trials)
    )


def seed_noise(trials: pd.DataFrame) -> tuple[float, int]:
    """The pooled standard deviation of losses between seeds, and its degrees of freedom."""
    groups = trials.groupby(["config_hash", "learning_rate"], observed=True)["validation_loss"]
    freedom = groups.count() - 1
    squares = (groups.var() * freedom).sum()
    return float(np.sqrt(squares / freedom.sum())), int(freedom.sum())


def _tell_repeats(trials: pd.DataFrame) -> str:
    """Trainings that two parts have in common."""
    keys = ["config_hash", "learning_rate", "seed"]
    groups = trials.groupby(keys, observed=True)["validation_loss"]
    apart = (groups.max() - groups.min())[groups.count() > 1]
    return f"{len(apart)} trainings are in two parts; their losses differ by at most {apart.max():.2g}."


def _tell_front(architectures: pd.DataFrame) -> str:
    on_front = is_on_front(
        architectures[["validation_loss", "train_flops"]].to_numpy(float), ["minimize"] * 2
    )
    rows = architectures[on_front].sort_values("train_flops")
    shown = rows.assign(
        train_flops=rows["train_flops"].map("{:.3g}".format),
        params=rows["params"].map("{:,}".format),
        validation_loss=rows["validation_loss"].map("{:.3f}".format),
    )
    columns = [*CHOICES, "params", "train_flops", "validation_loss"]
    return tabulate(shown[columns].to_numpy().tolist(), columns, "github", disable_numparse=True)


def _tell_rates(trials: pd.DataFrame) -> str:
    rows = []
    for width, wide in trials.groupby("emb_dim"):
        for layers, chosen in (("all", wide), *wide.groupby("n_layers")):
            losses = chosen.groupby("learning_rate")["validation_loss"].mean()
            rows.append([width, layers, *(f"{loss:.3f}" for loss in losses), f"{losses.idxmin():g}"])
    rates = sorted(trials["learning_rate"].unique())
    heads = ["emb_dim", "n_layers", *(f"{rate:g}" for rate in rates), "best"]
    noises = {rate: seed_noise(at_rate)[0] for rate, at_rate in trials.groupby("learning_rate")}
    told = ", ".join(f"{noise:.4f} at {rate:g}" for rate, noise in noises.items())
    return (
        tabulate(rows, heads, "github", disable_numparse=True)
        + f"\n\nStandard deviation between two seeds, pooled: {told}."
    )


def _tell_ranks(trials: pd.DataFrame, curves: pd.DataFrame) -> str:
    own = curves[curves["part"] == "architectures"].sort_values("tokens")
    losses = own.groupby("config_hash", observed=True)["validation_loss"].apply(
        lambda curve: curve.to_numpy()
    )
    table = np.stack(losses.to_list())
    rows = []
    for name, share in (("1/8", 8), ("1/4", 4), ("1/2", 2), ("3/4", 4 / 3)):
        early = table[:, round(table.shape[1] / share) - 1]
        rows.append([name, f"{kendalltau(early, table[:, -1]).statistic:.3f}"])
    twice = trials[trials["part"] == "seeds"].sort_values("seed").groupby("config_hash", observed=True)
    ends = np.stack(twice["validation_loss"].apply(lambda both: both.to_numpy()).to_list())
    seeds = kendalltau(*ends.T).statistic
    return (
        "Kendall's tau between the losses of all architectures at a share of the budget and at its end.\n\n"
        + tabulate(rows, ["share of the budget", "tau"], "github", disable_numparse=True)
        + f"\n\nBetween the two seeds of `seeds`, at the end, it is {seeds:.3f}."
    )


def main() -> None:
    """Train, write, print."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--out", type=Path, required=True, help="where the run folders lie")
    parser.add_argument("--only-write", action="store_true", help="train nothing")
    parser.add_argument("--tables", type=Path, default=FOLDER, help="where the Parquet files go")
    asked = parser.parse_args()
    try:
        if not asked.only_write:
            train(asked.out)
        trials, curves = collect(asked.out)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    asked.tables.mkdir(parents=True, exist_ok=True)
    for name, table in (("trials", trials), ("curves", curves)):
        table.to_parquet(asked.tables / f"{name}.parquet", index=False, compression="zstd")
    run = PARTS[0].run_folder(asked.out)
    print(summarise(trials, curves, run.load_json(run.environment)))


if __name__ == "__main__":
    main()
