"""Points of a space as numbers that a Gaussian process can compare."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

LAYER = re.compile(r"(?P<list>(?:single_)?layers)\[(?P<index>\d+)\]")
RATIO = 3.0
"""From which on numbers are compared by their ratio, not by their difference."""
ALIKE = 0.999
"""Correlation at which a second feature says nothing new."""
COSTS = ("params", "params_non_embedding", "flops_forward")
"""What losses follow most closely, in logarithms; others are functions of the same choices."""


def by_layer(names: list[str]) -> dict[str, list[str]]:
    """Domains that differ in their layer alone, together."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(LAYER.sub(r"\g<list>[]", name, count=1), []).append(name)
    return groups


def build_features(chosen: pd.DataFrame, costs: pd.DataFrame) -> Array:
    """Features of all points from 0 to 1, (N, d); those that do not vary or repeat another are left out.

    Numbers stand for themselves or their logarithm, other choices for one feature an option. Where a value is
    not asked for, a feature is in its middle. Values that are chosen layer by layer stand for their mean over
    the layers and for how much more of them there is in later ones: what matters is seldom one layer alone.

    Args:
        chosen: A column a domain, by its name; missing where a point does not ask for it.
        costs: Columns `COSTS`, as far as they are known.
    """
    import pandas as pd

    columns: dict[str, pd.Series] = {}
    for name in COSTS:
        if name in costs and costs[name].notna().all() and (costs[name] > 0).all():
            columns[f"log {name}"] = costs[name].astype(float).map(math.log)
    for names in by_layer(list(chosen.columns)).values():
        coded = [_code(chosen[name]) for name in names]
        if len(names) == 1:
            columns |= {f"{names[0]} {option}": values for option, values in coded[0].items()}
            continue
        place = np.linspace(-1.0, 1.0, len(names))
        for option in dict.fromkeys(option for one in coded for option in one):
            layers = pd.DataFrame({i: one[option] for i, one in enumerate(coded) if option in one})
            columns[f"{names[0]} {option} mean"] = layers.mean(axis=1)
            columns[f"{names[0]} {option} trend"] = (layers * place[layers.columns]).mean(axis=1)
    return _select(pd.DataFrame(columns, index=chosen.index))


def _code(values: pd.Series) -> dict[str, pd.Series]:
    """What was chosen for a domain as numbers, by what they tell."""
    import pandas as pd

    known = values.dropna()
    if not known.map(lambda value: isinstance(value, bool | np.bool_)).any():
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.notna().sum() == len(known):
            numbers = numbers.astype(float)
            positive = bool((numbers.dropna() > 0).all())
            wide = positive and numbers.max() >= RATIO * numbers.min()
            return {"number": numbers.map(math.log, na_action="ignore") if wide else numbers}
    options = sorted(known.unique(), key=str)
    return {str(option): (values == option).astype(float).where(values.notna()) for option in options}


def _select(table: pd.DataFrame) -> Array:
    """The columns that say something, scaled."""
    kept: list[Array] = []
    for name in table:
        values = table[name].to_numpy(float)
        low, high = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=-np.inf)
        if not high > low:
            continue
        scaled = np.nan_to_num((values - low) / (high - low), nan=0.5)
        if all(abs(np.corrcoef(scaled, other)[0, 1]) < ALIKE for other in kept):
            kept.append(scaled)
    return np.column_stack(kept) if kept else np.zeros((len(table), 1))
