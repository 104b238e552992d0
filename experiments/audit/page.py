"""An audit as a page of the report: one HTML file that fetches nothing."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.audit.content import Audit, Count, Extreme
from experiments.audit.figure import draw_histograms
from experiments.audit.wording import HEADS, say_count, say_size, say_time, told_costs
from experiments.report.content import Cell, Column, Table, number_cell
from experiments.report.html import render_page
from experiments.report.svg import Picture


@dataclass(frozen=True)
class Page:
    """What the page shows. The template escapes every text."""

    title: str
    description: list[str]
    answer: str
    counts: Table
    remarks: tuple[str, ...]
    rules: Table
    limits: Table
    twins: list[list[str]]
    pictures: list[Picture]
    extremes: Table
    timings: Table
    time: str
    time_remarks: tuple[str, ...]


def render_audit_page(audit: Audit) -> str:
    """The page as text."""
    time = audit.time
    page = Page(
        title=audit.name,
        description=[" ".join(block.split()) for block in audit.description.split("\n\n") if block.strip()],
        answer=" ".join([say_size(audit), *([] if time is None else [say_time(time)])]),
        counts=_counts(audit),
        remarks=audit.remarks,
        rules=_rules(audit),
        limits=_limits(audit),
        twins=[
            [*group.members, *([f"and {group.more:,} more"] if group.more else [])] for group in audit.twins
        ],
        pictures=draw_histograms(audit.histograms),
        extremes=_extremes(audit),
        timings=_timings(audit),
        time="" if time is None else say_time(time),
        time_remarks=() if time is None else time.remarks,
    )
    return render_page("audit.html.jinja", page=page)


def _counts(audit: Audit) -> Table:
    told = {
        "valid": audit.valid,
        "invalid": audit.invalid,
        "infeasible": audit.infeasible,
        "feasible": audit.feasible,
    }
    rows = [[Cell(name), _cell(count, audit)] for name, count in told.items()]
    for name, number in (("different models", audit.distinct), ("the same as another", audit.equivalent)):
        rows.append([Cell(name), Cell(f"{number:,}", order=float(number))])
    return Table([Column(""), Column("points", numeric=True)], rows)


def _cell(count: Count, audit: Audit) -> Cell:
    return Cell(say_count(count, audit.sampled), order=float(count.examined))


def _rules(audit: Audit) -> Table:
    columns = [Column("rule"), Column("points", numeric=True), Column("for example")]
    rows = [[Cell(rule.rule), _cell(rule.count, audit), Cell(rule.example)] for rule in audit.rules]
    return Table(columns, rows)


def _limits(audit: Audit) -> Table:
    columns = [
        Column("constraint"),
        Column("broken by", numeric=True),
        Column("not known yet", numeric=True),
        Column("why"),
    ]
    rows = [
        [Cell(limit.text), _cell(limit.broken, audit), _cell(limit.unknown, audit), Cell(limit.remark)]
        for limit in audit.limits
    ]
    return Table(columns, rows)


def _extremes(audit: Audit) -> Table:
    ends = [(title, end) for title, end in (("cheapest", audit.cheapest), ("dearest", audit.dearest)) if end]
    names = [name for name in HEADS if any(name in told_costs(end) for _, end in ends)]
    columns = [Column(""), Column("chosen"), *(Column(HEADS[name], numeric=True) for name in names)]
    return Table(columns, [_extreme(title, end, names) for title, end in ends])


def _extreme(title: str, end: Extreme, names: list[str]) -> list[Cell]:
    return [Cell(title), Cell(end.name), *(number_cell(name, end.costs.get(name)) for name in names)]


def _timings(audit: Audit) -> Table:
    heads = ["FLOPs/step", "steps tried", "time/step", "start and evaluations"]
    columns = [Column("tried for a moment"), *(Column(head, numeric=True) for head in heads)]
    rows = [
        [
            Cell(timing.name),
            number_cell("flops", timing.step_flops),
            Cell(str(timing.steps), order=float(timing.steps)),
            number_cell("seconds", timing.seconds_per_step),
            number_cell("seconds", timing.overhead_seconds),
        ]
        for timing in (() if audit.time is None else audit.time.timings)
    ]
    return Table(columns, rows)
