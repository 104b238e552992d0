"""The tables of a report, from the tables of a run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.labels import chosen_values, name_rows, short_headings
from experiments.report.content import Cell, Column, Table, number_cell, text_cell
from experiments.units import is_missing

if TYPE_CHECKING:
    import pandas as pd

HEADS = {
    "validation_loss": "val. loss",
    "searched_loss": "searched loss",
    "confirmed_loss": "confirmed loss",
    "bits_per_byte": "bits/byte",
    "params": "params",
    "train_flops": "training",
    "memory_bytes": "memory",
    "predicted_memory_bytes": "predicted memory",
    "seconds": "time",
    "tokens_per_second": "tokens/s",
    "model_flops_per_second": "FLOP/s",
    "mfu": "MFU",
    "mfu_published": "MFU, published",
    "tokens": "tokens",
    "epochs": "epochs",
    "perplexity": "perplexity",
    "train_loss": "train loss",
    "params_non_embedding": "non-emb. params",
    "params_active": "active params",
    "flops_forward": "forward",
    "flops_forward_causal": "causal forward",
    "flops_forward_windowed": "windowed forward",
    "kv_cache_bytes_per_token": "KV cache/token",
    "kv_cache_bytes": "KV cache",
    "tracked_memory_bytes": "tracked memory",
    "process_memory_bytes": "process memory",
    "build_seconds": "building",
    "wall_seconds": "wall time",
    "learning_rate": "learning rate",
    "sweep_flops": "sweep",
}
ALWAYS = ("validation_loss", "bits_per_byte", "params", "train_flops", "memory_bytes", "seconds")
BESIDE = {"memory_bytes": "predicted_memory_bytes"}
"""What a number of the table of trials is held against."""
TROUBLED = ("duplicate", "infeasible", "diverged", "out_of_memory", "failed")


def front_rows(summary: "pd.DataFrame", objectives: Sequence[str]) -> Table:
    """One row an architecture on the front: its name, the values chosen, loss with its spread, costs."""
    named = summary.assign(name=name_rows(summary), chosen=chosen_values(summary))
    confirmed = bool((named["n_confirmed"] > 0).any())
    front = named[named["on_front"] | (named["was_on_front"] & confirmed)]
    several = bool((front["n_seeds"] > 1).any())
    names = _recorded(front, [name for name in HEADS if name in (*ALWAYS, *objectives)])
    losses = ["searched_loss", "confirmed_loss"] if confirmed else []
    names = [name for name in names if not (confirmed and name == "validation_loss")]
    chosen = bool((front["chosen"] != "").any())
    columns = [Column("variant"), *([Column("chosen")] if chosen else [])]
    columns += [Column(head(name), numeric=True) for name in losses]
    columns += [Column("fresh seeds", numeric=True), Column("confirmation")] if confirmed else []
    columns += [Column(head(name), numeric=True) for name in names]
    columns += [Column("seeds", numeric=True)] if several and not confirmed else []
    rows = []
    for _, row in front.iterrows():
        cells = [Cell(row["name"]), *([Cell(row["chosen"])] if chosen else [])]
        cells += [_with_spread(name, row) for name in losses]
        cells += [_count(row["n_confirmed"]), Cell(_judgement(row))] if confirmed else []
        cells += [_with_spread(name, row) for name in names]
        cells += [_count(row["n_seeds"])] if several and not confirmed else []
        rows.append(cells)
    # Who has left the front stands in its table, but does not stand out.
    members = [place for place, member in enumerate(front["on_front"]) if member and confirmed]
    return Table(columns, rows, frozenset(members))


def _with_spread(name: str, row: "pd.Series[Any]") -> Cell:
    """A number, with the deviation over the seeds that it is the mean of."""
    cell, deviation = number_cell(name, row[name]), row["validation_loss_std"]
    if name not in ("validation_loss", "confirmed_loss") or is_missing(deviation) or is_missing(row[name]):
        return cell
    return Cell(f"{cell.text} ± {deviation:.3f}", f"{cell.exact} ± {deviation}", cell.order)


def _count(value: int) -> Cell:
    return Cell(str(value), order=float(value))


def _judgement(row: "pd.Series[Any]") -> str:
    """What fresh seeds made of an architecture."""
    if not row["on_front"]:
        return "has left the front"
    if not row["n_confirmed"]:
        return "not confirmed"
    return "has stayed" if row["was_on_front"] else "has entered"


def trial_rows(trials: "pd.DataFrame") -> Table:
    """One row a training: what matters first, then what was chosen, then all else that was recorded.

    Columns that say nothing are left out, such as the variants of a search, which are called by their trials.
    """
    chosen = short_headings(trials)
    names = [name for always in ALWAYS for name in (always, BESIDE.get(always)) if name]
    first = _recorded(trials, names)
    rest = _recorded(trials, [name for name in HEADS if name not in names and name in trials])
    told = ["trial", *([] if chosen else ["variant"]), *(["seed"] if trials["seed"].nunique() > 1 else [])]
    told += ["purpose"] if trials["purpose"].nunique() > 1 else []
    columns = [Column(name, name not in ("variant", "purpose")) for name in told] + [Column("status")]
    columns += [Column(head(name), numeric=True) for name in first]
    columns += _chosen_columns(trials)
    columns += [Column(head(name), numeric=True) for name in rest]
    rows = [
        [
            *(text_cell(row[name]) for name in told),
            Cell(str(row["status"]).replace("_", " ")),
            *(number_cell(name, row[name]) for name in first),
            *(text_cell(row[name]) for name in chosen),
            *(number_cell(name, row[name]) for name in rest),
        ]
        for _, row in trials.iterrows()
    ]
    return Table(columns, rows, frozenset(index for index, marked in enumerate(trials["on_front"]) if marked))


def troubled_rows(trials: "pd.DataFrame") -> Table:
    """The trainings that were not completed, and why."""
    chosen = chosen_values(trials)
    columns = [Column("trial", numeric=True), Column("variant"), Column("seed", numeric=True)]
    columns += [Column("status"), Column("reason")]
    rows = [
        [
            text_cell(row["trial"]),
            Cell(values or str(row["variant"])),
            text_cell(row["seed"]),
            Cell(str(row["status"]).replace("_", " ")),
            Cell(str(row["reason"]) or "no reason recorded"),
        ]
        for values, (_, row) in zip(chosen, trials.iterrows(), strict=True)
        if row["status"] in TROUBLED
    ]
    return Table(columns, rows)


def head(name: str) -> str:
    """The head of a column of recorded numbers."""
    return HEADS.get(name, name.replace("_", " "))


def _chosen_columns(trials: "pd.DataFrame") -> list[Column]:
    numeric = set(trials.select_dtypes("number").columns)
    return [Column(heading, name in numeric) for name, heading in short_headings(trials).items()]


def _recorded(table: "pd.DataFrame", names: Sequence[str]) -> list[str]:
    return [name for name in names if table[name].notna().any()]
