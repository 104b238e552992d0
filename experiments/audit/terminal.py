"""An audit for the terminal: counts, bars of text, the ends of the space, the time."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from experiments.audit.content import Audit, Histogram
from experiments.audit.wording import say_costs, say_count, say_size, say_time
from experiments.printable import printable
from experiments.units import format_seconds, format_value

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

BAR = 40
FULL, PART = "█", "░"


def render_audit(audit: Audit, console: "Console") -> None:
    """Print an audit.

    Args:
        console: Where to.
    """
    _say(console, say_size(audit))
    _print(console, "Points", _counts(audit))
    if audit.rules:
        rows = [[say_count(rule.count, audit.sampled), rule.rule, rule.example] for rule in audit.rules]
        _print(console, "Rules that invalid points break", _table(["points", "rule", "for example"], rows))
    if audit.limits:
        limits = [
            [
                one.text,
                say_count(one.broken, audit.sampled),
                say_count(one.unknown, audit.sampled),
                one.remark,
            ]
            for one in audit.limits
        ]
        heads = ["constraint", "broken by", "not known yet", ""]
        _print(console, "Constraints", _table(heads, limits))
    if audit.twins:
        same = [
            ["\n".join([*one.members, *([f"and {one.more:,} more"] if one.more else [])])]
            for one in audit.twins
        ]
        _print(console, "Points that are the same model, for example", _table(["points"], same))
    for histogram in audit.histograms:
        _print(console, _title(histogram, audit), _bars(histogram))
    for title, extreme in (("Cheapest", audit.cheapest), ("Dearest", audit.dearest)):
        if extreme is not None:
            console.print(title, style="bold")
            _say(console, f"{extreme.name}\n{say_costs(extreme)}\n")
    _print_time(audit, console)
    for remark in audit.remarks:
        _say(console, remark)


def _print_time(audit: Audit, console: "Console") -> None:
    if audit.time is None:
        return
    rows = [
        [
            timing.name,
            format_value("flops", timing.step_flops),
            str(timing.steps),
            format_seconds(timing.seconds_per_step),
            format_seconds(timing.overhead_seconds),
        ]
        for timing in audit.time.timings
    ]
    console.print("Time", style="bold")
    _say(console, say_time(audit.time))
    console.print(_table(["tried", "FLOPs/step", "steps", "time/step", "start and evaluations"], rows))
    for remark in audit.time.remarks:
        _say(console, remark)


def _counts(audit: Audit) -> "Table":
    rows = [
        ["valid", say_count(audit.valid, audit.sampled)],
        ["invalid", say_count(audit.invalid, audit.sampled)],
        ["infeasible", say_count(audit.infeasible, audit.sampled)],
        ["feasible", say_count(audit.feasible, audit.sampled)],
        ["different models", f"{audit.distinct:,}"],
        ["the same as another", f"{audit.equivalent:,}"],
    ]
    return _table(["", "points"], rows)


def _title(histogram: Histogram, audit: Audit) -> str:
    head = histogram.label[:1].upper() + histogram.label[1:]
    some = any(one.infeasible for one in histogram.bins)
    return (
        f"{head} of valid points ({FULL} feasible, {PART} infeasible)" if some else f"{head} of valid points"
    )


def _bars(histogram: Histogram) -> "Table":
    most = max(one.feasible + one.infeasible for one in histogram.bins)
    rows = []
    for one in histogram.bins:
        good, bad = (_length(count, most) for count in (one.feasible, one.infeasible))
        ends = f"{format_value(histogram.name, one.low)} –"
        rows.append([ends, FULL * good + PART * bad, f"{one.feasible + one.infeasible:,}"])
    return _table(["from", "", "points"], rows)


def _length(count: int, most: int) -> int:
    """Letters of a bar: one at least for what is not nothing."""
    return max(round(BAR * count / most), 1) if count else 0


def _table(heads: list[str], rows: Iterable[list[str]]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell, keep="\n")) for cell in row))
    return table


def _print(console: "Console", title: str, table: "Table") -> None:
    console.print(title, style="bold")
    console.print(table)


def _say(console: "Console", text: str) -> None:
    console.print(printable(text, keep="\n"), markup=False, highlight=False)
