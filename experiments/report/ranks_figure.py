"""Kendall's tau over the share of the budget."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.report.svg import BLUE, COLOURS, GREY, Picture, draw_picture, figure_style, new_figure

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 720, 300
TITLE = "Agreement of the ranking with that at the end"


def draw_ranks(ranks: "pd.DataFrame", rungs: Sequence[float] = ()) -> list[Picture]:
    """One picture of tau with its interval, and of the share of the best fifth; nothing without rows.

    Args:
        ranks: From `experiments.rank_table.rank_stability_table`, tau known.
        rungs: Shares of the budget that are marked.
    """
    if ranks.empty:
        return []
    with figure_style():
        figure = new_figure(WIDTH, HEIGHT)
        axes = figure.add_subplot()
        shares, tau = ranks["share"], ranks["tau"]
        low, high = ranks["tau_low"].fillna(tau), ranks["tau_high"].fillna(tau)
        for rung in rungs:
            axes.axvline(rung, color=GREY, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
        # At the end the ranking is that at the end.
        axes.plot(
            [*shares, 1], [*ranks["best_fifth"], 1], color=COLOURS[1], linewidth=1.2, linestyle=(0, (5, 2)),
            marker="o", markersize=4, label="best fifth found", zorder=2,
        )  # fmt: skip
        axes.plot([*shares, 1], [*tau, 1], color=BLUE, linewidth=1.5, label="Kendall's tau", zorder=3)
        axes.errorbar(
            shares, tau, [tau - low, high - tau], fmt="o", color=BLUE, markersize=5, capsize=3, zorder=4
        )
        axes.set_xlim(0, 1.03)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.set_ylim(min(-0.05, float(low.min()) - 0.05), 1.05)
        axes.set_xlabel("share of the budget" + (", rungs dotted" if rungs else ""))
        axes.legend(frameon=False, fontsize=10, loc="lower right")
        told = ", ".join(f"{row['tau']:.2f} after {row['share']:.0%}" for _, row in ranks.iterrows())
        return [draw_picture(figure, "ranks", TITLE, f"{TITLE}: Kendall's tau {told}")]
