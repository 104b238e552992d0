"""The loss against what it cost: one panel a cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.front import is_on_front
from experiments.labels import chosen_values, name_rows
from experiments.objectives import LOSSES, OBJECTIVES, Objective
from experiments.report.axes import set_number_axis
from experiments.report.placement import Label, place_labels
from experiments.report.svg import (
    BLUE,
    GREY,
    LIGHT,
    Picture,
    draw_picture,
    figure_style,
    new_figure,
    shortened,
)
from experiments.units import format_value

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LOSS = "validation_loss"
ALWAYS = ("train_flops", "memory_bytes", "params")
WIDTH, HEIGHT = 400, 320


@dataclass(frozen=True)
class FrontPanel:
    """The data of one panel.

    Args:
        cost: What the horizontal axis counts.
        points: One row an architecture: name, cost, loss, deviation (nats per token, missing for one seed),
            on_front (of all objectives of the run), on_line (nothing else has a lower loss for this cost),
            tip.
        trainings: One row a complete training: cost, loss.
    """

    cost: Objective
    points: "pd.DataFrame"
    trainings: "pd.DataFrame"


def front_panels(
    trials: "pd.DataFrame", summary: "pd.DataFrame", objectives: Sequence[str]
) -> list[FrontPanel]:
    """The panels that have data: training FLOPs, memory and parameters, then further costs asked for."""
    asked = [name for name in objectives if name not in LOSSES]
    costs = [OBJECTIVES[name] for name in dict.fromkeys((*ALWAYS, *asked))]
    panels = [_panel(trials, summary, cost) for cost in costs]
    return [panel for panel in panels if len(panel.points)]


def draw_front(panels: Sequence[FrontPanel]) -> list[Picture]:
    """One picture a panel."""
    with figure_style():
        return [_draw(panel) for panel in panels]


def _panel(trials: "pd.DataFrame", summary: "pd.DataFrame", cost: Objective) -> FrontPanel:
    import pandas as pd

    points = pd.DataFrame(
        {
            "name": pd.Series(name_rows(summary), dtype="string"),
            "cost": summary[cost.name].astype("float64"),
            "loss": summary[LOSS].astype("float64"),
            "deviation": summary[f"{LOSS}_std"].astype("float64"),
            "on_front": summary["on_front"].astype(bool),
            "tip": pd.Series(chosen_values(summary), dtype="string"),
        }
    )
    points = points[points[["cost", "loss"]].apply(np.isfinite).all(axis=1)]
    points = points.sort_values(["cost", "loss"])
    points["on_line"] = is_on_front(points[["cost", "loss"]].to_numpy(), (cost.direction, "minimize"))
    complete = trials[trials["status"] == "complete"]
    trainings = complete[[cost.name, LOSS]].astype("float64").set_axis(["cost", "loss"], axis=1).dropna()
    return FrontPanel(cost, points.reset_index(drop=True), trainings.reset_index(drop=True))


def _draw(panel: FrontPanel) -> Picture:
    figure = new_figure(WIDTH, HEIGHT)
    axes = figure.add_subplot()
    points = panel.points
    tops, bottoms = (
        points["loss"] + points["deviation"].fillna(0),
        points["loss"] - points["deviation"].fillna(0),
    )
    costs = [*points["cost"], *panel.trainings["cost"]]
    set_number_axis(axes.xaxis, panel.cost, min(costs), max(costs))
    losses = [*tops, *bottoms, *panel.trainings["loss"]]
    set_number_axis(axes.yaxis, OBJECTIVES[LOSS], min(losses), max(losses))
    _draw_points(axes, panel)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    _write_labels(axes, panel)
    title = f"Validation loss against {panel.cost.label}"
    members = ", ".join(points["name"][points["on_front"]]) or "none"
    description = f"{title}; on the front: {members}"
    tips = {
        gid: [_tip(panel.cost, row) for _, row in points[points["on_front"] == member].iterrows()]
        for gid, member in (("front", True), ("others", False))
    }
    return draw_picture(figure, f"front-{panel.cost.name}", title, description, tips)


def _draw_points(axes: "Axes", panel: FrontPanel) -> None:
    points = panel.points
    line, front = points[points["on_line"]], points[points["on_front"]]
    others = points[~points["on_front"]]
    if panel.cost.direction == "maximize":
        line = line[::-1]
    axes.plot(
        line["cost"], line["loss"], color=BLUE, linewidth=1.2, alpha=0.55, drawstyle="steps-post", zorder=2
    )
    if len(panel.trainings) > len(points):
        axes.scatter(
            panel.trainings["cost"], panel.trainings["loss"], s=9, color=LIGHT, linewidths=0, zorder=1
        )
    for rows, colour, size, order, gid in ((others, GREY, 26, 3, "others"), (front, BLUE, 40, 4, "front")):
        spread = rows[rows["deviation"].notna()]
        axes.errorbar(
            spread["cost"],
            spread["loss"],
            spread["deviation"],
            fmt="none",
            ecolor=colour,
            elinewidth=1,
            zorder=order,
        )
        axes.scatter(
            rows["cost"],
            rows["loss"],
            s=size,
            color=colour,
            edgecolors="white",
            linewidths=0.8,
            zorder=order,
            gid=gid,
        )


def _write_labels(axes: "Axes", panel: FrontPanel) -> None:
    points = panel.points
    # What stands on the line of this panel is what the eye follows; the rest is named while there is room.
    first = points[points["on_front"]].sort_values(
        ["on_line", "loss"], ascending=[False, True], kind="stable"
    )
    labels = [Label(row["cost"], row["loss"], _short(row["name"])) for _, row in first.iterrows()]
    place_labels(axes, labels, list(zip(points["cost"], points["loss"], strict=True)))


def _short(name: str) -> str:
    return shortened(name.replace("trial ", "#") if name.startswith("trial ") else name, 22)


def _tip(cost: Objective, row: "pd.Series[Any]") -> str:
    numbers = f"{row['loss']:.3f} nats/token at {format_value(cost.name, row['cost'])}"
    return f"{row['name']}: {numbers}" + (f"; {row['tip']}" if row["tip"] else "")
