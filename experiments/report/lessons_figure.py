"""The effect of each value of a field on the loss: one small panel a field, all of one scale."""

from typing import TYPE_CHECKING

from experiments.labels import format_chosen
from experiments.report.svg import BLUE, GREY, Picture, draw_picture, figure_style, new_figure, shortened

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 330, 230
MOST_PANELS = 12


def draw_lessons(lessons: "pd.DataFrame") -> list[Picture]:
    """One picture a field, the one with the largest sure effect first.

    Args:
        lessons: From `experiments.lessons.lessons_table`.
    """
    if lessons.empty:
        return []
    fields = list(dict.fromkeys(lessons["field"]))[:MOST_PANELS]
    shown = lessons[lessons["field"].isin(fields)]
    low, high = min(shown["effect_low"].min(), 0.0), max(shown["effect_high"].max(), 0.0)
    margin = 0.06 * (high - low) or 0.01
    with figure_style():
        return [
            _draw(place, str(field), shown[shown["field"] == field], (low - margin, high + margin))
            for place, field in enumerate(fields)
        ]


def _draw(place: int, field: str, rows: "pd.DataFrame", limits: tuple[float, float]) -> Picture:
    figure = new_figure(WIDTH, HEIGHT)
    axes = figure.add_subplot()
    values = [format_chosen(value) for value in rows["value"]]
    effects, places = rows["effect"].to_numpy(), range(len(rows))
    ends = rows[["effect_low", "effect_high"]].to_numpy().T
    bars = abs(ends - effects)
    axes.axhline(0, color=GREY, linewidth=1, zorder=1)
    is_ordered = all(isinstance(value, int | float) for value in rows["value"])
    if is_ordered and not any(isinstance(value, bool) for value in rows["value"]):
        axes.plot(places, effects, color=BLUE, linewidth=1.2, alpha=0.55, zorder=2)
    axes.errorbar(places, effects, bars, fmt="o", color=BLUE, markersize=5, capsize=3, zorder=3)
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.set_ylim(*limits)
    crowded = sum(map(len, values)) > 30
    axes.set_xticks(
        places,
        [shortened(value, 16) for value in values],
        rotation=20 if crowded else 0,
        ha="right" if crowded else "center",
    )
    axes.grid(axis="x", visible=False)
    axes.set_title(shortened(field, 34), loc="left")
    axes.set_ylabel("loss, from usual")
    told = ", ".join(f"{value} {effect:+.3f}" for value, effect in zip(values, effects, strict=True))
    title = f"Effect of {field} on the loss at equal training FLOPs"
    return draw_picture(figure, f"lesson-{place}", title, f"{title}, nats/token from usual: {told}")
