"""What differs between two variants, for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from textwrap import wrap

from tabulate import tabulate

from experiments.units import format_declared, format_value
from registry.diff import ConfigDiff, CostChange, Difference, FieldChange

HEADS = {
    "params": "params",
    "flops_forward_per_token": "FLOPs/token",
    "kv_cache_bytes_per_token": "KV/token",
    "kv_cache_bytes": "KV/context",
}
VALUE_WIDTH = 44
LEGEND = """\
Costs are what {a} would cost more with this difference alone; they need not add up to the total.
FLOPs: forward pass a token of a full context, 2 a multiply-accumulate, matrix multiplications only.
KV cache in 2-byte numbers: for a further token while no window is full, and for a full context."""


def render_diff(a: str, b: str, diff: ConfigDiff, output: str) -> str:
    """The differences as text that ends with a line break.

    Args:
        a: Name of the one variant.
        b: Name of the other.
        output: `table`, `markdown`, or `json` (an object with exact integers).
    """
    if output == "json":
        return json.dumps({"a": a, "b": b, **asdict(diff)}, indent=1, ensure_ascii=False) + "\n"
    if not diff.differences:
        return f"{a} and {b} do not differ.\n"
    write = _write_markdown if output == "markdown" else _write_plain
    rows = [[*write(difference.fields), *_costs(difference.cost)] for difference in diff.differences]
    rows.append(["total", "", "", *_costs(diff.total)])
    style = "github" if output == "markdown" else "plain"
    table = tabulate(
        rows,
        ["field", a, b, *HEADS.values()],
        style,
        colalign=("left", "left", "left", *["right"] * len(HEADS)),
        disable_numparse=True,
    )
    notes = [_tell_why(difference) for difference in diff.differences if difference.together_because]
    return "\n".join([table, "", *notes, LEGEND.format(a=a)]) + "\n"


def _write_plain(changes: Sequence[FieldChange]) -> list[str]:
    """The cells of field, a and b: long values take several lines, each field begins on the same one."""
    columns: list[list[str]] = [[], [], []]
    for change in changes:
        parts = [wrap(text, VALUE_WIDTH) or [""] for text in _texts(change)]
        for column, lines in zip(columns, parts, strict=True):
            column.extend(lines + [""] * (max(map(len, parts)) - len(lines)))
    return ["\n".join(column) for column in columns]


def _write_markdown(changes: Sequence[FieldChange]) -> list[str]:
    columns = zip(*map(_texts, changes), strict=True)
    return ["<br>".join(text.replace("|", "\\|") for text in column) for column in columns]


def _texts(change: FieldChange) -> tuple[str, str, str]:
    return change.field, format_declared(change.a), format_declared(change.b)


def _tell_why(difference: Difference) -> str:
    names = ", ".join(change.field for change in difference.fields)
    return f"{names} change together: {difference.together_because}."


def _costs(change: CostChange) -> list[str]:
    return [_signed(name, getattr(change, name)) for name in HEADS]


def _signed(name: str, value: int) -> str:
    text = format_value(name, abs(value), trim=True)
    return f"{'+' if value > 0 else '-'}{text}" if value else "0"
