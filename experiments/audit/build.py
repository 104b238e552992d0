"""From the table of an experiment's points to what its audit says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from experiments.audit.content import Audit, Count, Extreme, Histogram, Limit, Rule, Time, Twins, wilson
from experiments.audit.histogram import histogram_of
from experiments.constraints import Constraint
from experiments.data.config import BpeTokenizer
from experiments.experiment import Experiment
from experiments.labels import format_chosen
from experiments.point_table import VIOLATION, PointTable
from experiments.units import plural

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

DRAWN = ("params", "train_flops", "predicted_memory_bytes")
COSTS = (
    "params",
    "params_active",
    "flops_forward",
    "train_flops",
    "kv_cache_bytes",
    "predicted_memory_bytes",
    "steps",
)
MOST_TWINS, MOST_MEMBERS = 5, 4


def build_audit(experiment: Experiment, audited: PointTable, time: Time | None = None) -> Audit:
    """Count, group and order the points of a table.

    Args:
        time: How long training will take, if that was measured.
    """
    table = audited.table
    valid = table["valid"].to_numpy(dtype=bool)
    broken, feasible = audited.broken, audited.trainable
    members = Counter(table["canonical_hash"][feasible])
    order = _by_cost(table, feasible)
    return Audit(
        name=experiment.config.name,
        description=experiment.config.description,
        comparison=experiment.space is None,
        size=audited.size,
        examined=len(table),
        sampled=audited.sampled,
        valid=_count(valid, audited),
        invalid=_count(~valid, audited),
        rules=_rules(audited),
        infeasible=_count(valid & broken, audited),
        limits=tuple(_limit(constraint, audited, valid) for constraint in experiment.constraints),
        feasible=_count(feasible, audited),
        distinct=len(members),
        equivalent=int(feasible.sum()) - len(members),
        twins=_twins(audited, feasible, members),
        histograms=_histograms(table, valid, feasible),
        cheapest=_extreme(audited, order[0]) if order else None,
        dearest=_extreme(audited, order[-1]) if order else None,
        time=time,
        remarks=tuple(_remarks(experiment, audited)),
    )


def feasible_rows(audited: PointTable) -> list[int]:
    """The rows that will be trained as far as is known, each model once, the cheapest first."""
    return _by_cost(audited.table, audited.distinct, "step_flops")


def name_row(audited: PointTable, row: int) -> str:
    """What was chosen for a row, or the name of the variant."""
    chosen = audited.parameters(row)
    told = " ".join(f"{name}={format_chosen(value)}" for name, value in chosen.items())
    return told or str(audited.table["name"].iloc[row])


def _count(members: NDArray[np.bool_], audited: PointTable) -> Count:
    examined, found = len(members), int(members.sum())
    share = found / examined if examined else 0.0
    low, high = wilson(found, examined) if audited.sampled else (share, share)
    estimate = None if audited.size is None else round(share * audited.size) if audited.sampled else found
    return Count(found, share, estimate, low, high)


def _rules(audited: PointTable) -> tuple[Rule, ...]:
    """The most frequent first."""
    import numpy as np

    rows: dict[str, list[int]] = {}
    for row, rules in audited.rules.items():
        for rule in rules:
            rows.setdefault(rule, []).append(row)
    made = []
    for rule, breaking in sorted(rows.items(), key=lambda item: (-len(item[1]), item[0])):
        members = np.zeros(len(audited.table), dtype=bool)
        members[breaking] = True
        made.append(Rule(rule, _count(members, audited), audited.rules[breaking[0]][rule]))
    return tuple(made)


def _limit(constraint: Constraint, audited: PointTable, valid: NDArray[np.bool_]) -> Limit:
    violation = audited.table[VIOLATION + constraint.text]
    unknown = valid & violation.isna().to_numpy(dtype=bool)
    remark = ""
    if unknown.any():
        remark = f"{constraint.name} is measured by the training"
        if constraint.name in ("memory_bytes", "process_memory_bytes"):
            remark += "; what is told before is broken already by the memory that it needs at least"
    return Limit(
        constraint.text,
        _count(valid & (violation > 0).to_numpy(dtype=bool), audited),
        _count(unknown, audited),
        remark,
    )


def _by_cost(table: pd.DataFrame, members: NDArray[np.bool_], name: str = "") -> list[int]:
    """The rows of the members, the cheapest first; of the same cost, in their order."""
    name = name or ("train_flops" if table["train_flops"].notna().any() else "flops_forward")
    costs = table[name].reset_index(drop=True)[members]
    return [int(row) for row in costs.sort_values(kind="stable").index]


def _extreme(audited: PointTable, row: int) -> Extreme:
    values = audited.table.iloc[row]
    costs = {name: float(values[name]) for name in COSTS if values[name] == values[name]}
    chosen: dict[str, Any] = audited.parameters(row)
    return Extreme(name_row(audited, row), chosen, costs)


def _twins(audited: PointTable, feasible: NDArray[np.bool_], members: Counter[str]) -> tuple[Twins, ...]:
    """Some groups of points that are one model, the largest first."""
    hashes = audited.table["canonical_hash"].fillna("").to_numpy(dtype=object)
    made = []
    for name, number in members.most_common(MOST_TWINS):
        if number > 1:
            rows = [row for row, own in enumerate(hashes) if own == name and feasible[row]]
            told = tuple(name_row(audited, row) for row in rows[:MOST_MEMBERS])
            made.append(Twins(told, len(rows) - len(told)))
    return tuple(made)


def _histograms(
    table: pd.DataFrame, valid: NDArray[np.bool_], feasible: NDArray[np.bool_]
) -> tuple[Histogram, ...]:
    drawn = [
        "flops_forward" if name == "train_flops" and table[name].isna().all() else name for name in DRAWN
    ]
    made = (histogram_of(name, table[name].to_numpy(dtype=float)[valid], feasible[valid]) for name in drawn)
    return tuple(one for one in made if one.bins)


def _remarks(experiment: Experiment, audited: PointTable) -> list[str]:
    remarks = []
    if audited.sampled:
        size = "endless" if audited.size is None else f"{audited.size:,} points large"
        remarks.append(
            f"The space is {size}: {len(audited.table):,} points were drawn by lot. Shares are theirs, with "
            "the interval in which the share of the space lies in 95 of 100 such draws. Points that are the "
            "same model, and the cheapest and the dearest one, are told of these points only."
        )
    tokenizer = experiment.config.data.tokenizer
    if isinstance(tokenizer, BpeTokenizer):
        remarks.append(
            f"The vocabulary is taken to have the {tokenizer.vocab_size} ids that are wanted; a small text "
            "yields fewer."
        )
    if experiment.config.budget.seconds is not None:
        remarks.append("The budget is time: how many steps and FLOPs it buys is known after training only.")
    untold = int(audited.table.loc[audited.table["valid"], "predicted_memory_bytes"].isna().sum())
    if untold:
        remarks.append(f"The memory of {plural(untold, 'point')} cannot be predicted.")
    return remarks
