"""What is known of an experiment before it is run: a row a point of its space, or a row a variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from experiments.constraints import judge
from experiments.data.config import BpeTokenizer, DataConfig
from experiments.data.tokenizers import build_tokenizer
from experiments.experiment import Experiment
from experiments.fitting import fit_to_experiment
from experiments.prediction import foresee
from experiments.record import TrialRecord
from gpt_zoo.config.canonical import canonical, hash_config
from gpt_zoo.config.gpt import GPTConfig
from registry.costing.rules import name_rule
from registry.costing.table import space_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

VIOLATION = "violation."
"""Before the text of a constraint: how far a point is beyond it; missing where that is not known yet."""
LONG_TEXT = "a text that is longer than the context"
"""What a training needs beside the declared constraints."""


@dataclass(frozen=True)
class PointTable:
    """The points of an experiment.

    Args:
        table: A row a point: `name`, `valid`, the hashes, known costs, `step_flops`, `violation.TEXT`.
        rules: The rules that each invalid point breaks, and what is said about each.
        parameters: Gives what was chosen for a row; nothing in a comparison.
        size: Of the space; None if it is endless.
        sampled: Whether the rows are only some points of the space.
    """

    table: pd.DataFrame
    rules: dict[int, dict[str, str]]
    parameters: Callable[[int], dict[str, Any]]
    size: int | None
    sampled: bool

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Which points break a constraint for certain."""
        limits = [name for name in self.table if str(name).startswith(VIOLATION)]
        return (self.table[limits] > 0).any(axis=1).to_numpy(dtype=bool)

    @property
    def trainable(self) -> NDArray[np.bool_]:
        """Which can be trained as far as is known: valid, and within all limits."""
        return self.table["valid"].to_numpy(dtype=bool) & ~self.broken

    @property
    def distinct(self) -> NDArray[np.bool_]:
        """The trainable ones, without those that are the same model as one before."""
        names = self.table["canonical_hash"].where(self.trainable)
        return self.trainable & ~names.duplicated().to_numpy(dtype=bool)


def build_point_table(
    experiment: Experiment,
    points: int,
    seed: int,
    vocab_size: int | None = None,
    has_windows: Callable[[int], bool] = lambda context_length: True,
) -> PointTable:
    """All that is known of an experiment's points before training; no torch, no text is read.

    Args:
        points: The most that are looked at; of a larger space so many are drawn by lot.
        vocab_size: Ids of the tokenizer; asked of its declaration unless given.
        has_windows: Whether the text is long enough for a context.

    Raises:
        ValueError: no point is asked for, or the tokenizer cannot be had.
    """
    vocab_size = vocab_size or vocabulary(experiment.config.data)
    drop_rate = experiment.config.training.drop_rate
    measure = _measure_of(experiment, has_windows)
    if experiment.space is None:
        return _compare(experiment.matched_for(vocab_size), vocab_size, drop_rate, measure)
    fixed = {"vocab_size": vocab_size} | ({} if drop_rate is None else {"drop_rate": drop_rate})
    made = space_table(experiment.space, points, seed, fixed, [measure])
    table = _with_numbers(made.table, experiment)
    table["name"] = [f"point {number}" for number in range(len(table))]
    rules = {
        point: {name_rule(one): f"{one.path}: {one.message}" for one in broken}
        for point, broken in made.broken.items()
    }
    return PointTable(table, rules, made.points.parameters, made.points.size, made.points.sampled)


def vocabulary(data: DataConfig) -> int:
    """The ids of the tokenizer; those that are wanted, where it is trained first.

    Raises:
        ValueError: a file, a package or the network that it needs is missing.
    """
    if isinstance(data.tokenizer, BpeTokenizer):
        return data.tokenizer.vocab_size
    return build_tokenizer(data.tokenizer, lambda: iter(())).vocab_size


def _measure_of(
    experiment: Experiment, has_windows: Callable[[int], bool]
) -> Callable[[GPTConfig], Mapping[str, Any]]:
    asked, constraints = experiment.config, experiment.constraints
    nothing = dict.fromkeys(TrialRecord.model_fields)

    def measure(config: GPTConfig) -> Mapping[str, Any]:
        foreseen = foresee(config, asked.training, asked.budget, asked.training.device)
        cost, known = foreseen.cost, foreseen.record
        record = cast(TrialRecord, SimpleNamespace(**nothing | known))
        violations = judge(constraints, record).violations
        return {
            **known,
            "steps": foreseen.steps,
            "step_flops": float(cost.flops_train(foreseen.tokens_per_step)),
            "forward_flops_per_token": cost.flops_forward / config.context_length,
            "context_length": config.context_length,
            VIOLATION + LONG_TEXT: float(not has_windows(config.context_length)),
            **{VIOLATION + text: violation for text, violation in violations.items()},
        }

    return measure


def _compare(
    experiment: Experiment,
    vocab_size: int,
    drop_rate: float | None,
    measure: Callable[[GPTConfig], Mapping[str, Any]],
) -> PointTable:
    import pandas as pd

    rows = []
    for variant in experiment.variants:
        config = fit_to_experiment(variant.config, vocab_size, drop_rate)
        own, plainest = (hash_config(form.model_dump(mode="json")) for form in (config, canonical(config)))
        known = {"name": variant.name, "valid": True, "config_hash": own, "canonical_hash": plainest}
        rows.append({**known, **measure(config)})
    return PointTable(_with_numbers(pd.DataFrame(rows), experiment), {}, lambda row: {}, len(rows), False)


def _with_numbers(table: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """The table with a column for each number that a point may have, as floats: training counts outgrow
    64-bit integers, and what no point has is missing."""
    import pandas as pd

    numbers = [
        name for name in TrialRecord.model_fields if TrialRecord.model_fields[name].annotation == (int | None)
    ]
    numbers += ["step_flops", "forward_flops_per_token", "context_length"]
    numbers += [VIOLATION + text for text in (LONG_TEXT, *experiment.config.constraints)]
    own = {
        name: pd.Series(table[name], dtype="object")
        .astype("Float64")
        .to_numpy("float64", na_value=float("nan"))
        if name in table
        else [float("nan")] * len(table)
        for name in numbers
    }
    return table.assign(**own)
