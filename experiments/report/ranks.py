"""How early the ranking shows: what a rung tells about the end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.report.content import Cell, Column, Section, Table
from experiments.report.ranks_figure import draw_ranks
from experiments.units import is_missing

if TYPE_CHECKING:
    import pandas as pd

TAU = (
    "Kendall's tau between the losses after a share of the budget and those at its end: 1 where all pairs of "
    "architectures are in the same order, 0 where order tells nothing. Bars hold 95 % (Fieller, Hartley and "
    "Pearson 1957). The best fifth is the share of the architectures with the lowest final losses that were "
    "already in the lowest fifth."
)
SURVIVORS = (
    "Stopped trainings have no final loss and are left out. They were the worse ones, mostly, and would have "
    "been easy to rank: among all, tau would likely be higher."
)


def ranks_section(ranks: "pd.DataFrame", stopped: int, rungs: Sequence[float]) -> Section | None:
    """The section on rank stability; None where too few architectures have curves.

    Args:
        ranks: From `experiments.rank_table.rank_stability_table`.
        stopped: Trainings that were stopped.
        rungs: Shares of the budget at which trainings were judged.
    """
    known = ranks.dropna(subset=["tau"])
    if known.empty:
        return None
    remarks = [_finding(known), TAU, *([SURVIVORS] if stopped else [])]
    return Section(
        "ranks", "How early the ranking shows", remarks, _rows(known), draw_ranks(known, rungs), True
    )


def _finding(ranks: "pd.DataFrame") -> str:
    first = ranks.iloc[0]
    between = "" if is_missing(first["tau_low"]) else f" ({first['tau_low']:.2f} to {first['tau_high']:.2f})"
    text = (
        f"After {first['share']:.0%} of the budget, the order of {int(first['architectures'])} architectures "
        f"agrees with that at the end with tau {first['tau']:.2f}{between}."
    )
    sure = ranks[ranks["tau"] >= 0.9]
    if sure.empty or sure.index[0] == ranks.index[0]:
        return text
    return f"{text} It first reaches 0.9 after {sure.iloc[0]['share']:.0%}."


def _rows(ranks: "pd.DataFrame") -> Table:
    heads = ("share of budget", "architectures", "tau", "95 % interval", "best fifth found")
    columns = [Column(head, numeric=True) for head in heads]
    rows = [
        [
            Cell(f"{row['share']:.0%}", str(row["share"]), float(row["share"])),
            Cell(str(row["architectures"]), order=float(row["architectures"])),
            Cell(f"{row['tau']:.2f}", str(row["tau"]), float(row["tau"])),
            Cell(
                "–" if is_missing(row["tau_low"]) else f"{row['tau_low']:.2f} to {row['tau_high']:.2f}",
                order=None if is_missing(row["tau_low"]) else float(row["tau_low"]),
            ),
            Cell(f"{row['best_fifth']:.0%}", str(row["best_fifth"]), float(row["best_fifth"])),
        ]
        for _, row in ranks.iterrows()
    ]
    return Table(columns, rows)
