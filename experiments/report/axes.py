"""Axes whose ticks are round in the unit people use: 200 G, 1 T, 64 MiB."""

import math
from typing import TYPE_CHECKING

from experiments.objectives import Objective
from experiments.units import format_value

if TYPE_CHECKING:
    from matplotlib.axis import Axis

MOST_TICKS = 5


def set_number_axis(axis: "Axis", objective: Objective, low: float, high: float) -> None:
    """Scale, limit, tick and label an axis for an objective whose values lie from `low` to `high`."""
    logarithmic = objective.logarithmic and low > 0
    first, last = _with_margin(low, high, logarithmic)
    set_scale, set_limits = (
        (axis.axes.set_xscale, axis.axes.set_xlim)
        if axis.axis_name == "x"  # type: ignore[attr-defined]
        else (axis.axes.set_yscale, axis.axes.set_ylim)
    )
    set_scale("log" if logarithmic else "linear")
    set_limits(first, last)
    ticks = nice_ticks(objective.name, first, last, logarithmic)
    axis.set_ticks(ticks, [short_number(objective.name, tick) for tick in ticks])
    axis.set_ticks([], minor=True)
    axis.set_label_text(objective.label.replace(" (bytes)", "").replace(" (s)", ""))


def short_number(name: str, value: float) -> str:
    """A tick's label; that it counts FLOPs is said by the axis."""
    return format_value(name, value, trim=True).removesuffix("FLOP").strip()


def nice_ticks(name: str, low: float, high: float, logarithmic: bool) -> list[float]:
    """Two to five round numbers from `low` to `high`: round in powers of two for bytes, of ten otherwise."""
    if logarithmic:
        ticks = _powers_of_two(low, high) if "bytes" in name else _ones_twos_fives(low, high)
        if len(ticks) >= 3:
            return ticks
    from matplotlib.ticker import MaxNLocator

    base = 1024 if "bytes" in name else 1000
    unit = float(base) ** max(0, math.floor(math.log(high, base))) if high >= 1 else 1.0
    for bins in range(MOST_TICKS, 0, -1):
        ticks = [
            float(tick) * unit
            for tick in MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10]).tick_values(low / unit, high / unit)
        ]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= MOST_TICKS:
            break
    return ticks


def _powers_of_two(low: float, high: float) -> list[float]:
    exponents = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    return [2.0**exponent for exponent in _thin(list(exponents))]


def _ones_twos_fives(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3)):
        ticks = [digit * 10.0**decade for decade in decades for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= MOST_TICKS:
            return ticks
    return [10.0**decade for decade in _thin([decade for decade in decades if low <= 10.0**decade])]


def _thin(exponents: list[int]) -> list[int]:
    return exponents[:: math.ceil(len(exponents) / MOST_TICKS) or 1]


def _with_margin(low: float, high: float, logarithmic: bool, share: float = 0.08) -> tuple[float, float]:
    if logarithmic:
        margin = max((high / low) ** share, 1.02) if high > low else 1.5
        return low / margin, high * margin
    margin = (high - low) * share or abs(high) * 0.05 or 1.0
    return low - margin, high + margin
