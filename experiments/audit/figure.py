"""How the costs of a space's points are spread: bars, one panel a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.report.axes import nice_ticks, short_number
from experiments.report.svg import BLUE, LIGHT, Picture, draw_picture, figure_style, new_figure
from experiments.units import format_value

if TYPE_CHECKING:
    from experiments.audit.content import Histogram

WIDTH, HEIGHT = 400, 260


def draw_histograms(histograms: Sequence[Histogram]) -> list[Picture]:
    """One picture a histogram: what keeps all constraints in blue, the rest above it in grey."""
    with figure_style():
        return [_draw(histogram) for histogram in histograms]


def _draw(histogram: Histogram) -> Picture:
    figure = new_figure(WIDTH, HEIGHT)
    axes = figure.add_subplot()
    bins = histogram.bins
    lows, widths = [one.low for one in bins], [one.high - one.low for one in bins]
    if len(bins) == 1:  # all points cost the same
        lows, widths = [bins[0].low * 0.97], [bins[0].low * 0.06]
    good, bad = [one.feasible for one in bins], [one.infeasible for one in bins]
    for counts, bottom, colour, label in (
        (good, [0] * len(good), BLUE, "feasible"),
        (bad, good, LIGHT, "infeasible"),
    ):
        axes.bar(lows, counts, widths, bottom, align="edge", color=colour, edgecolor="white", label=label)
    low, high = lows[0] / 1.02, (lows[-1] + widths[-1]) * 1.02
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = nice_ticks(histogram.name, low, high, logarithmic=True)
    axes.set_xticks(ticks, [short_number(histogram.name, tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(histogram.label.replace(" (bytes)", ""))
    axes.set_ylabel("points")
    axes.grid(axis="x", visible=False)
    if any(bad):
        axes.legend(frameon=False, fontsize=10)
    told = "; ".join(
        f"from {format_value(histogram.name, one.low)}: {one.feasible + one.infeasible}" for one in bins
    )
    title = f"Points by {histogram.label}"
    return draw_picture(figure, f"audit-{histogram.name}", title, f"{title}. {told}")
