"""The pictures of a report, from its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.report.curves_figure import curve_lines, draw_curves
from experiments.report.front_figure import draw_front, front_panels
from experiments.report.importances_figure import draw_importances, importance_bars
from experiments.report.speed_figure import draw_times, time_bars
from experiments.report.svg import Picture

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Pictures:
    """The figures by the section they belong to; empty where nothing was recorded to draw."""

    front: list[Picture]
    curves: list[Picture]
    importances: list[Picture]
    speed: list[Picture]


def draw_pictures(
    trials: "pd.DataFrame",
    curves: "pd.DataFrame",
    summary: "pd.DataFrame",
    importances: Mapping[str, Any],
    objectives: Sequence[str],
) -> Pictures:
    """Draw all that the tables have data for."""
    return Pictures(
        front=draw_front(front_panels(trials, summary, objectives)),
        curves=draw_curves(curve_lines(trials, curves, summary)),
        importances=draw_importances(importance_bars(importances)),
        speed=draw_times(time_bars(summary)),
    )
