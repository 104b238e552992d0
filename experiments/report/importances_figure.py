"""How much each searched value mattered: bars, one panel an objective."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.objectives import OBJECTIVES
from experiments.report.svg import BLUE, Picture, draw_picture, figure_style, new_figure, shortened

if TYPE_CHECKING:
    import pandas as pd

WIDTH, ROW_HEIGHT, FRAME = 400, 26, 80
MOST_BARS = 15


def importance_bars(importances: Mapping[str, Any]) -> "pd.DataFrame":
    """One row an objective and a searched value: objective, value, share (0 to 1), the largest first."""
    import pandas as pd

    rows = [
        (objective, path, float(share))
        for objective, shares in importances.items()
        for path, share in shares.items()
        if share is not None
    ]
    bars = pd.DataFrame(rows, columns=["objective", "value", "share"]).astype({"share": "float64"})
    # The order of the objectives is that of the run; within one, what mattered most comes first.
    bars["place"] = bars["objective"].map({name: place for place, name in enumerate(importances)})
    bars = bars.dropna().sort_values(["place", "share"], ascending=[True, False], kind="stable")
    return bars.drop(columns="place").reset_index(drop=True)


def draw_importances(bars: "pd.DataFrame") -> list[Picture]:
    """One picture an objective."""
    with figure_style():
        return [
            _draw(str(name), rows.head(MOST_BARS)) for name, rows in bars.groupby("objective", sort=False)
        ]


def _draw(objective: str, bars: "pd.DataFrame") -> Picture:
    figure = new_figure(WIDTH, FRAME + ROW_HEIGHT * len(bars))
    axes = figure.add_subplot()
    places = range(len(bars))
    axes.barh(places, bars["share"], height=0.62, color=BLUE)
    for place, share in zip(places, bars["share"], strict=True):
        axes.annotate(
            f"{share:.0%}",
            (share, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    axes.set_yticks(places, [shortened(value, 24) for value in bars["value"]])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    label = OBJECTIVES[objective].label if objective in OBJECTIVES else objective
    axes.set_title(shortened(label, 40), loc="left")
    shares = ", ".join(f"{row['value']} {row['share']:.0%}" for _, row in bars.iterrows())
    title = f"Importance for {label}"
    name = "".join(letter if letter.isalnum() else "-" for letter in objective)
    return draw_picture(figure, f"importance-{name}", title, f"{title}: {shares}")
