"""What a search has learnt about each field: the loss with each of its values, at equal training FLOPs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.failures import first_line
from experiments.run_folder import RunFolder, write_atomically
from experiments.search.cost_aware.features import build_features, by_layer
from experiments.search.dependence import LossModel, fit_losses, scale_flops, with_flops
from experiments.settings import PREFIX
from experiments.tables import summary_table
from experiments.units import plural

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

FEWEST = 8
"""Architectures without which nothing is said."""
MOST_AVERAGED = 150
"""Architectures that predictions are averaged over, by which this takes seconds."""
MOST_VALUES = 7
"""Values of a field that are looked at; of more numbers so many, evenly from the lowest to the highest."""
NORMAL = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Field:
    """A searched field.

    Args:
        name: Key path; `layers[0].n_heads` stands for all layers together.
        columns: Of the table of choices.
        values: That are looked at.
    """

    name: str
    columns: list[str]
    values: list[Any]


def write_lessons(run: RunFolder) -> None:
    """Work out what the trainings of a run tell about each searched field, and keep it in lessons.json."""
    write_atomically(run.lessons, json.dumps(learn(run), indent=1))


def learn(run: RunFolder) -> dict[str, Any]:
    """The partial dependence of the validation loss on each searched field, at equal training FLOPs.

    A model of the loss by what was chosen and by training FLOPs is fitted to the architectures that were
    trained to the end. For each value of a field, its predictions are averaged over these architectures, each
    with that value and with its own training FLOPs: Friedman 2001, "Greedy Function Approximation", section
    8.2. The effect of a value is that average, less the mean of those of all values, each weighted by the
    architectures that have it: in nats per token, below 0 where the value is better than usual.

    Returns:
        `architectures`; `note`, why there is nothing else, or empty; `explained`, see `LossModel.explained`;
        `flops`, the least and the most training FLOPs; `doubling`, by how much twice the FLOPs change the
        loss, whatever comes with them, or None where all are equal; `fields`, the one with the largest
        sure effect first, each with `field` and its `values`: `value`, `architectures`, `effect`, `low` and
        `high` (95 %).
    """
    summary = summary_table(run)
    usable = summary[["validation_loss", "train_flops"]].apply(np.isfinite).all(axis=1)
    summary = summary[usable & (summary["train_flops"] > 0)]
    told: dict[str, Any] = {"architectures": len(summary), "note": "", "fields": []}
    if len(summary) < FEWEST:
        told["note"] = (
            f"{plural(len(summary), 'architecture')} trained to the end: it takes {FEWEST} to tell what a "
            "field does"
        )
        return told
    chosen = _choices(run, summary)
    try:
        return told | _learn(chosen, summary["validation_loss"].to_numpy(), summary["train_flops"].to_numpy())
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return told | {"note": f"the losses could not be modelled: {first_line(error)}"}


def _choices(run: RunFolder, summary: pd.DataFrame) -> pd.DataFrame:
    """What was chosen for each architecture: a column a domain, missing where it was not asked for.

    Settings of the training are none of its fields: it is judged at the best of them.
    """
    import pandas as pd

    parameters = {record.trial: record.parameters for record in run.load_records()}
    rows = [
        {name: _as_value(value) for name, value in parameters[trial].items() if not name.startswith(PREFIX)}
        for trial in summary["trial"]
    ]
    return pd.DataFrame(rows, index=range(len(rows)), dtype="object")


def _as_value(value: Any) -> Any:
    """A chosen value as one that can be told apart: null is an option, and no missing value."""
    return value if isinstance(value, str | int | float) else json.dumps(value)


def _learn(chosen: pd.DataFrame, losses: Array, train_flops: Array) -> dict[str, Any]:
    import pandas as pd

    log_flops = scale_flops(train_flops)
    averaged = np.unique(np.linspace(0, len(losses) - 1, min(len(losses), MOST_AVERAGED)).round().astype(int))
    fields = _fields(chosen)
    # All in one table: so that what was trained and what is asked about are scaled alike.
    tables, places = [chosen], []
    for field in fields:
        asked = [row for row in averaged if chosen.loc[row, field.columns].notna().any()]
        for value in field.values:
            tables.append(_with_value(chosen, field, value).loc[asked])
            places.append(asked)
    features = build_features(pd.concat(tables, ignore_index=True), pd.DataFrame())
    ends = np.cumsum([len(table) for table in tables])
    model = fit_losses(features[: ends[0]], log_flops, losses)
    groups = [
        (with_flops(features[start:end], log_flops[place]), log_flops[place])
        for start, end, place in zip(ends[:-1], ends[1:], places, strict=True)
    ]
    told, first = [], 0
    for field in fields:
        own = groups[first : first + len(field.values)]
        first += len(own)
        told.append({"field": field.name, "values": _effects(model, field, own, chosen)})
    told.sort(key=_sure_effect, reverse=True)
    flops = [float(train_flops.min()), float(train_flops.max())]
    doubling = _doubling(log_flops, losses, flops)
    return {"explained": model.explained(), "flops": flops, "doubling": doubling, "fields": told}


def _fields(chosen: pd.DataFrame) -> list[Field]:
    """The fields of which architectures have different values."""
    fields = []
    for columns in by_layer(list(chosen.columns)).values():
        known = [value for name in columns for value in chosen[name].dropna()]
        values = list(dict.fromkeys(known))
        if len(values) > 1:
            fields.append(Field(columns[0], columns, _some(values)))
    return fields


def _some(values: Sequence[Any]) -> list[Any]:
    """The values in their order, or some of many numbers."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        ordered = sorted(values)
        places = np.linspace(0, len(ordered) - 1, min(len(ordered), MOST_VALUES)).round().astype(int)
        return [ordered[place] for place in places]
    return sorted(values, key=str)


def _with_value(chosen: pd.DataFrame, field: Field, value: Any) -> pd.DataFrame:
    """The choices with another value of a field, where they have one; what comes with others only is left."""
    changed = chosen.copy()
    for name in field.columns:
        changed.loc[changed[name].notna(), name] = value
    having = chosen[(chosen[field.columns] == value).any(axis=1)]
    for name in set(chosen.columns) - set(field.columns):
        if name.startswith(_inner(field)) and having[name].isna().all():
            changed[name] = np.nan
    return changed


def _inner(field: Field) -> tuple[str, ...]:
    """How the names of fields begin that only some values of this one have."""
    slots = [name.removesuffix(".kind") for name in field.columns]
    return tuple(f"{slot}{mark}" for slot in slots for mark in (".", "["))


def _effects(
    model: LossModel, field: Field, groups: list[tuple[Array, Array]], chosen: pd.DataFrame
) -> list[dict[str, Any]]:
    counts = _counts(field, chosen)
    mean, covariance = model.average(groups)
    centre = np.eye(len(mean)) - np.asarray(counts) / sum(counts)
    effects, variances = centre @ mean, np.diag(centre @ covariance @ centre.T)
    return [
        {"value": value, "architectures": count, **_interval(effect, variance)}
        for value, count, effect, variance in zip(field.values, counts, effects, variances, strict=True)
    ]


def _counts(field: Field, chosen: pd.DataFrame) -> list[int]:
    """Architectures that have each value, or one to which it is the nearest of those looked at."""
    counts = dict.fromkeys(field.values, 0)
    for _, row in chosen[field.columns].iterrows():
        for value in set(row.dropna()):
            if value not in counts:
                value = min(field.values, key=lambda one, value=value: abs(one - value))  # type: ignore[misc]
            counts[value] += 1
    return list(counts.values())


def _doubling(log_flops: Array, losses: Array, flops: list[float]) -> float | None:
    """What twice the FLOPs go with, by a straight line through all; None where they are equal."""
    if not log_flops.any():
        return None
    (slope, _) = np.polyfit(log_flops, losses, 1)
    return float(slope) / math.log2(flops[1] / flops[0])


def _interval(effect: float, variance: float) -> dict[str, float]:
    width = NORMAL * math.sqrt(max(variance, 0.0))
    return {"effect": float(effect), "low": float(effect - width), "high": float(effect + width)}


def _sure_effect(told: dict[str, Any]) -> tuple[float, float]:
    """The largest effect that a field has for sure, and the distance between its best and its worst value."""
    values = told["values"]
    effects = [value["effect"] for value in values]
    return max(0.0, *(max(value["low"], -value["high"]) for value in values)), max(effects) - min(effects)
