"""What a coordinate check asks for, and what it finds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import linear_regression
from typing import Any, Literal

from pydantic import ValidationError

from gpt_zoo.config.gpt import GPTConfig

COMPONENTS = ("embedding", "attention", "feed_forward", "logits")
"""Whose outputs are looked at; those of layers as the mean over all."""
STEEPEST = 0.25
"""Slope of an activation over the width, both as logarithms, up to which it counts as bounded: halfway from
what muP promises, 0, to the 0.5 of a sum of independent numbers."""
Growing = Literal["head_dim", "heads"]
"""What a wider model has more of: larger heads, or more of them."""


def at_width(config: GPTConfig, width: int, growing: Growing) -> GPTConfig:
    """The variant with another `emb_dim`; what follows from that follows, declared sizes stay.

    Raises:
        ValueError: the heads do not divide the width, or another rule between sizes is broken.
    """
    data: dict[str, Any] = {**config.model_dump(), "emb_dim": width, "drop_rate": 0.0}
    attention, ratio = data["attention"], width / config.emb_dim
    if growing == "heads":
        data["n_heads"] = _whole(config.n_heads * ratio, "n_heads", width)
    grown = "head_dim" if growing == "head_dim" else "n_kv_heads"
    if attention.get(grown) is not None:
        attention[grown] = _whole(attention[grown] * ratio, f"attention.{grown}", width)
    try:
        return GPTConfig.model_validate(data)
    except ValidationError as error:
        raise ValueError(f"the variant cannot be {width} wide: {error.errors()[0]['msg']}") from None


def head_dim(config: GPTConfig) -> int | None:
    """The size of a query head; None where the attention has no such thing."""
    size = getattr(config.attention, "query_dim", None)
    return None if size is None else int(size(config))


def _whole(value: float, name: str, width: int) -> int:
    if not value.is_integer() or value < 1:
        raise ValueError(
            f"`{name}` grows with the width and must stay a whole number, got {value:g} at {width}; try"
            " other --widths, or --growing head_dim"
        )
    return int(value)


@dataclass(frozen=True)
class Coordinate:
    """The outputs of a component at a step, as means over seeds, of absolute values.

    Args:
        step: Of the optimizer; 0 is before the first.
        size: Of the outputs.
        change: Of what they differ by from those at step 0.
    """

    component: str
    width: int
    step: int
    size: float
    change: float


@dataclass(frozen=True)
class Trend:
    """How a number of a component at a step goes with the width.

    Args:
        what: size or change.
        values: By width.
        slope: Of a line through their logarithms over those of the widths.
    """

    component: str
    step: int
    what: str
    values: dict[int, float]
    slope: float

    @property
    def bounded(self) -> bool:
        """Whether it does not grow with the width."""
        return self.slope <= STEEPEST


def find_trends(coordinates: Iterable[Coordinate]) -> list[Trend]:
    """The trend of each component, step and number: sizes at all steps, changes after the first."""
    rows: dict[tuple[str, str, int], dict[int, float]] = {}
    for one in coordinates:
        rows.setdefault(("size", one.component, one.step), {})[one.width] = one.size
        if one.step:
            rows.setdefault(("change", one.component, one.step), {})[one.width] = one.change
    trends = [
        Trend(component, step, what, row, slope_of(row)) for (what, component, step), row in rows.items()
    ]
    order = {name: place for place, name in enumerate(COMPONENTS)}
    return sorted(trends, key=lambda one: (one.what, order[one.component], one.step))


def slope_of(values: dict[int, float]) -> float:
    """Slope of the least-squares line through log(value) over log(width); NaN where a value has no logarithm.

    Raises:
        ValueError: of a single width there is none.
    """
    if len(values) < 2:
        given = ", ".join(map(str, values))
        raise ValueError(f"a slope takes two widths at least, got {given}; try 64,128,256")
    if not all(value > 0 and math.isfinite(value) for value in values.values()):
        return math.nan
    widths, sizes = ([math.log(one) for one in numbers] for numbers in (values.keys(), values.values()))
    return linear_regression(widths, sizes).slope


def growing_trends(trends: Sequence[Trend]) -> list[Trend]:
    """What is not bounded at the last step."""
    last = max(trend.step for trend in trends)
    return [trend for trend in trends if trend.step == last and not trend.bounded]
