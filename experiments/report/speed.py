"""How fast each architecture was trained, and where the time went."""

from typing import TYPE_CHECKING

from experiments.labels import name_rows
from experiments.report.content import Column, Table, number_cell, text_cell
from experiments.report.rows import head
from experiments.report.speed_figure import time_shares

if TYPE_CHECKING:
    import pandas as pd

RATES = ("tokens_per_second", "model_flops_per_second", "mfu", "mfu_published")
SHARES = (
    "Shares are of the time of the training loop; what belongs to no phase, such as keeping the state of the "
    "training, is other."
)
UNMEASURED = (
    "There is no MFU by measurement, because the speed of this machine was not known with as many threads as "
    "were computing: run `gpt-zoo doctor` once, before the next run."
)


def speed_rows(summary: "pd.DataFrame") -> Table:
    """One row an architecture that was trained to the end, the fastest first: its rates, and its shares.

    Columns of what was not recorded are left out; no rows where no speed was.
    """
    recorded = _recorded(summary)
    rates = [name for name in RATES if recorded[name].notna().any()]
    shares = time_shares(recorded)
    columns = [Column("variant"), *(Column(head(name), numeric=True) for name in rates)]
    phases = list(map(str, shares))
    columns += [Column(phase, numeric=True) for phase in phases]
    names = dict(zip(summary.index, name_rows(summary), strict=True))
    rows = [
        [
            text_cell(names[index]),
            *(number_cell(name, row[name]) for name in rates),
            *(number_cell(f"{phase}_share", share[phase]) for phase in phases),
        ]
        for (index, row), (_, share) in zip(recorded.iterrows(), shares.iterrows(), strict=True)
    ]
    marked = frozenset(place for place, front in enumerate(recorded["on_front"]) if front)
    return Table(columns, rows, marked)


def speed_remarks(summary: "pd.DataFrame") -> list[str]:
    """What the table needs to be read."""
    recorded = _recorded(summary)
    if recorded.empty:
        return []
    shares = [] if time_shares(recorded).empty else [SHARES]
    return [*shares, *([UNMEASURED] if recorded["mfu"].isna().all() else [])]


def _recorded(summary: "pd.DataFrame") -> "pd.DataFrame":
    """The architectures whose FLOP/s were recorded: runs of before that have no such section."""
    known = summary[summary["model_flops_per_second"].notna()]
    return known.sort_values("tokens_per_second", ascending=False, kind="stable")
