"""A coordinate check as text."""

from collections.abc import Sequence
from dataclasses import asdict

from experiments.coordinates.check import STEEPEST, Trend, growing_trends
from experiments.costs.written import write_rows, write_table


def render_check(trends: Sequence[Trend], output: str) -> str:
    """The check as text that ends with a line break.

    Args:
        output: `table`, or `json`: a list of objects.
    """
    if output == "json":
        return write_rows([asdict(trend) | {"bounded": trend.bounded} for trend in trends], output)
    widths = list(trends[0].values)
    told = {"change": "change since the first values", "size": "size"}
    texts = []
    for what, title in told.items():
        cells = [
            [
                trend.component.replace("_", "-"),
                str(trend.step),
                *(f"{trend.values[width]:.3g}" for width in widths),
                f"{trend.slope:+.2f}",
            ]
            for trend in trends
            if trend.what == what
        ]
        heads = ["component", "step", *(f"{width}" for width in widths), "slope"]
        table = write_table(cells, heads, ["left", *["right"] * (len(widths) + 2)], output)
        texts.append(f"Mean absolute output by width: {title}\n\n{table}\n")
    return "\n".join([*texts, render_verdict(trends)])


def render_verdict(trends: Sequence[Trend]) -> str:
    """One line: whether all stays bounded, and what does not."""
    growing = growing_trends(trends)
    if not growing:
        steepest = max(trends, key=lambda trend: (trend.step, trend.slope))
        return f"bounded: no output grows with the width, the steepest slope is {steepest.slope:+.2f}\n"
    told = ", ".join(
        f"{trend.what} of {trend.component.replace('_', '-')} {trend.slope:+.2f}" for trend in growing
    )
    return f"not bounded: slopes above {STEEPEST:+.2f} at the last step: {told}\n"
