"""The cost of decoding against the length of the context, drawn: a panel for each cost, a line a variant."""

import math
from typing import TYPE_CHECKING

from experiments.costs.decode import QUANTITIES, DecodeView
from experiments.objectives import Objective
from experiments.report.axes import set_number_axis
from experiments.report.svg import COLOURS, INK, Picture, draw_picture, figure_style, new_figure, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 1080, 380
LINE_HEIGHT = 12
CLOSE = math.log(6)
"""Crossings at context lengths of a smaller ratio would write over one another."""
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))


def draw_decode(view: DecodeView) -> Picture:
    """The curves, on logarithmic axes, with a ring where two cross."""
    with figure_style():
        figure = new_figure(WIDTH, HEIGHT)
        panels = figure.subplots(1, len(QUANTITIES))
        for axes, quantity in zip(panels, QUANTITIES, strict=True):
            _draw_panel(axes, view, quantity)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=min(len(names), 4), frameon=False)
        title = "Decoding against the length of the context"
        return draw_picture(figure, "decode", title, f"{title}: {', '.join(QUANTITIES.values())}")


def _draw_panel(axes: "Axes", view: DecodeView, quantity: str) -> None:
    points = [getattr(cost, quantity) for curve in view.curves.values() for cost in curve]
    ends = [cost.context_length for curve in view.curves.values() for cost in curve]
    set_number_axis(
        axes.xaxis, Objective("context", "minimize", "context (tokens)", True), min(ends), max(ends)
    )
    exponents = range(0, max(ends).bit_length(), max(1, max(ends).bit_length() // 4))
    axes.xaxis.set_ticks([2.0**exponent for exponent in exponents], [str(2**one) for one in exponents])
    label = QUANTITIES[quantity]
    set_number_axis(axes.yaxis, Objective(quantity, "minimize", label, True), min(points), max(points))
    for index, (name, curve) in enumerate(view.curves.items()):
        axes.plot(
            [cost.context_length for cost in curve],
            [getattr(cost, quantity) for cost in curve],
            color=COLOURS[index % len(COLOURS)],
            linestyle=DASHES[index // len(COLOURS) % len(DASHES)],
            linewidth=1.5,
            label=shortened(name),
        )
    _mark_crossings(axes, view, quantity)


def _mark_crossings(axes: "Axes", view: DecodeView, quantity: str) -> None:
    """A ring at each crossing, with its context length above it; above one another where they are close."""
    own = sorted((one.context_length, one.value) for one in view.crossings if one.quantity == quantity)
    level, last = 0, -math.inf
    for length, value in own:
        level = level + 1 if math.log(length) - last < CLOSE else 0
        last = math.log(length)
        axes.plot(length, value, "o", markersize=7, markerfacecolor="none", markeredgecolor=INK)
        axes.annotate(
            str(length),
            (length, value),
            xytext=(0, 9 + LINE_HEIGHT * level),
            textcoords="offset points",
            ha="center",
            fontsize=10,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 4},
        )
