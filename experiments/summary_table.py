"""The modules of a model as a tree."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

from experiments.units import MISSING, format_count, format_flops

if TYPE_CHECKING:
    from gpt_zoo.measure.summary import ModuleRow

HEADS = ("module", "class", "output", "params", "share", "forward")
LEGEND = """\
One sequence of {time} tokens. 12 x 1.5 M: twelve modules that are alike, 1.5 million parameters each, whose
share is that of all twelve. FLOPs: 2 a multiply-accumulate, matrix multiplications only, as fvcore counts."""


def render_summary(rows: Sequence["ModuleRow"], time: int) -> str:
    """The rows as text that ends with a line break.

    Args:
        rows: As `gpt_zoo.measure.summary.summarize` gives them, the whole model first.
        time: Tokens of the sequence.
    """
    total = rows[0].params
    table = tabulate(
        [_cells(row, total) for row in rows],
        HEADS,
        "plain",
        colalign=("left", "left", "left", "right", "right", "right"),
        disable_numparse=True,
        preserve_whitespace=True,
    )
    lines = "\n".join(line.rstrip() for line in table.splitlines())
    return f"{lines}\n\n{LEGEND.format(time=time)}\n"


def _cells(row: "ModuleRow", total: int) -> list[str]:
    return [
        "  " * row.depth + (row.label or "model"),
        row.kind,
        MISSING if row.shape is None else " x ".join(map(str, row.shape)),
        "tied" if row.tied and not row.params else _times(row.count, row.params, format_count),
        f"{row.count * row.params / total:.1%}" if row.params else "",
        _times(row.count, row.flops_forward, format_flops),
    ]


def _times(count: int, number: int, write: Callable[[float], str]) -> str:
    if not number:
        return ""
    return write(number) if count == 1 else f"{count} x {write(number)}"
