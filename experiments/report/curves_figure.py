"""How the validation loss fell while tokens were seen."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.labels import name_rows
from experiments.objectives import OBJECTIVES
from experiments.report.axes import set_number_axis
from experiments.report.placement import spread
from experiments.report.svg import (
    COLOURS,
    GREY,
    LIGHT,
    Picture,
    draw_picture,
    figure_style,
    new_figure,
    shortened,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 720, 400
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
STOPPED = (0, (3, 2))
SKIPPED = 0.15  # the share of the tokens whose losses may lie above the picture
LINE_HEIGHT = 13.0
MOST_NAMED = 12  # more lines than that cannot be told apart


def curve_lines(trials: "pd.DataFrame", curves: "pd.DataFrame", summary: "pd.DataFrame") -> "pd.DataFrame":
    """One row a point of a training: architecture, name, on_front, stopped, trial, seed, tokens, loss (nats).

    Of complete trainings, and of those that were stopped and not taken up: what was taken up is part of the
    curve of who did.
    """
    import pandas as pd

    named = summary.assign(name=name_rows(summary))[["config_hash", "name", "on_front"]]
    complete = trials[trials["status"] == "complete"][["trial", "seed", "config_hash"]].merge(named)
    taken_up = pd.MultiIndex.from_frame(trials.dropna(subset=["continues"])[["continues", "seed"]])
    stopped = trials[trials["status"] == "stopped"]
    stopped = stopped[~pd.MultiIndex.from_frame(stopped[["trial", "seed"]]).isin(taken_up)]
    stopped = stopped.assign(name=name_rows(stopped), on_front=False, stopped=True)[
        ["trial", "seed", "config_hash", "name", "on_front", "stopped"]
    ]
    rows = pd.concat([complete.assign(stopped=False), stopped]).astype({"on_front": bool, "stopped": bool})
    lines = curves.dropna(subset=["validation_loss"]).merge(rows, on=["trial", "seed"])
    lines = lines.rename(columns={"validation_loss": "loss"})
    lines = lines[["config_hash", "name", "on_front", "stopped", "trial", "seed", "tokens", "loss"]]
    lengths = lines.groupby(["trial", "seed"])["tokens"].transform("size")
    return lines[(lengths >= 2) | lines["stopped"]].reset_index(drop=True)


def draw_curves(lines: "pd.DataFrame") -> list[Picture]:
    """One picture of all curves, those of the front coloured and named; nothing where there are no curves."""
    if lines.empty:
        return []
    with figure_style():
        figure = new_figure(WIDTH, HEIGHT)
        axes = figure.add_subplot()
        set_number_axis(axes.xaxis, OBJECTIVES["tokens"], 0, float(lines["tokens"].max()))
        shown = lines[lines["tokens"] >= SKIPPED * lines["tokens"].max()]
        set_number_axis(axes.yaxis, OBJECTIVES["validation_loss"], lines["loss"].min(), shown["loss"].max())
        axes.set_xlim(0)
        ends = _draw_lines(axes, lines)
        figure.get_layout_engine().set(rect=(0, 0, 0.83, 1))  # type: ignore[union-attr,call-arg]
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        _name_ends(axes, ends)
        title = "Validation loss over training tokens"
        return [draw_picture(figure, "curves", title, _describe(title, lines))]


def _describe(title: str, lines: "pd.DataFrame") -> str:
    stopped = lines[lines["stopped"]].groupby(["trial", "seed"]).ngroups
    told = f"; {stopped} that {'was' if stopped == 1 else 'were'} stopped dashed" if stopped else ""
    return f"{title}, one line a training{told}"


def _draw_lines(axes: "Axes", lines: "pd.DataFrame") -> list[tuple[str, str, float, float]]:
    """Draw, and say where each named line ends: name, colour, tokens, loss (mean over seeds)."""
    last = lines.loc[lines.groupby(["trial", "seed"])["tokens"].idxmax()]
    front = last[last["on_front"]].groupby("config_hash")[["tokens", "loss"]].mean().sort_values("loss")
    # From the best to the cheapest, evenly, where there are too many.
    front = front.iloc[
        [round(index) for index in np.linspace(0, len(front) - 1, min(len(front), MOST_NAMED))]
    ]
    for _, line in lines[~lines["config_hash"].isin(front.index)].groupby(["trial", "seed"]):
        style = STOPPED if line["stopped"].any() else "-"
        axes.plot(line["tokens"], line["loss"], color=LIGHT, linewidth=1, linestyle=style, zorder=1)
    ends_early = last[last["stopped"]]
    axes.scatter(
        ends_early["tokens"], ends_early["loss"], s=18, marker="x", color=GREY, linewidths=1, zorder=1.5
    )
    ends = []
    for index, (architecture, end) in enumerate(front.iterrows()):
        colour, dash = COLOURS[index % len(COLOURS)], DASHES[index // len(COLOURS) % len(DASHES)]
        own = lines[lines["config_hash"] == architecture]
        for _, line in own.groupby(["trial", "seed"]):
            axes.plot(line["tokens"], line["loss"], color=colour, linestyle=dash, linewidth=1.5, zorder=2)
        ends.append((str(own["name"].iloc[0]), colour, float(end["tokens"]), float(end["loss"])))
    return ends


def _name_ends(axes: "Axes", ends: list[tuple[str, str, float, float]]) -> None:
    box = axes.get_window_extent()
    heights = [float(axes.transData.transform((tokens, loss))[1]) for _, _, tokens, loss in ends]
    rows = spread(heights, LINE_HEIGHT, box.y0 + 4, box.y1)
    for (name, colour, tokens, loss), row in zip(ends, rows, strict=True):
        axes.annotate(
            shortened(name, 20),
            (tokens, loss),
            xytext=(box.x1 + 14, row),
            textcoords="figure pixels",
            color=colour,
            va="center",
            fontsize=10,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.7,
                "alpha": 0.6,
                "shrinkA": 1,
                "shrinkB": 0,
            },
        )
