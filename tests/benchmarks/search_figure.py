"""What searches have found against what they have trained, drawn."""

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from search_replay import SHARES, Progress

from experiments.report.svg import COLOURS, Picture, draw_picture, figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

WIDTH, HEIGHT, STEPS = 860, 380, 160
WORST = 0.5
"""From which share on it is drawn."""


def draw_progress(name: str, progress: dict[str, list[Progress]]) -> Picture:
    """The share of the hypervolume against evaluations and against FLOPs: medians, with the middle half.

    Args:
        name: Of the table and the cost.
        progress: By sampler, one a seed.
    """
    with figure_style():
        figure = new_figure(WIDTH, HEIGHT)
        left, right = figure.subplots(1, 2, sharey=True)
        for (sampler, own), colour in zip(progress.items(), COLOURS, strict=False):
            _draw_bands(left, [np.arange(1.0, len(one.shares) + 1) for one in own], own, sampler, colour)
            _draw_bands(right, [one.flops for one in own], own, sampler, colour)
        left.set_xlabel("evaluations")
        left.set_ylabel("hypervolume, of the whole table")
        right.set_xlabel("training FLOPs, of the whole table")
        # The distance that is left, so that the last percents can be told apart.
        left.set_yscale("function", functions=(_stretch, lambda drawn: 1 - 10.0**-drawn))
        left.set_ylim(WORST, 0.9925)
        ticks = (WORST, 0.8, 0.9, *SHARES)
        left.set_yticks(ticks, [f"{share:.0%}" for share in ticks])
        handles, labels = left.get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside upper left", ncols=len(labels), frameon=False, fontsize=10
        )
        title = f"Hypervolume found: {name}"
        stem = "search-" + re.sub(r"[^a-z0-9]+", "-", name.lower())
        return draw_picture(figure, stem, title, f"{title}; shares by sampler, medians with the middle half")


def _stretch(share: Array) -> Array:
    stretched: Array = -np.log10(np.maximum(1 - np.asarray(share), 1e-4))
    return stretched


def _draw_bands(axes: "Axes", spent: list[Array], own: list[Progress], label: str, colour: str) -> None:
    """The shares at equal steps of what was spent; a search that has found enough stays where it is."""
    ends = [float(one[-1]) for one in spent]
    at = np.geomspace(min(float(one[0]) for one in spent), max(ends), STEPS)
    shares = np.array(
        [
            np.append(0.0, one.shares)[np.searchsorted(places, at, side="right")]
            for places, one in zip(spent, own, strict=True)
        ]
    )
    low, middle, high = np.quantile(shares, [0.25, 0.5, 0.75], axis=0)
    axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(at, middle, color=colour, label=label, linewidth=1.6)
    axes.set_xscale("log")
