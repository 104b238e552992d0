"""Three counts of FLOPs side by side: closed form, fvcore, torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from experiments.costs.written import write_rows, write_table
from experiments.units import MISSING, plural

if TYPE_CHECKING:
    from gpt_zoo.measure.reconcile import ModuleCounts, Reconciliation

PASSES = ("forward", "backward")
HEADS = ("pass", "closed form", "fvcore", "torch", "verdict")
LEGEND = """\
FLOPs of one sequence: 2 a multiply-accumulate, matrix multiplications only, attention in full and written
out. fvcore traces forward passes only."""
EACH = "12 x: twelve modules that are alike, and the counts of each."


def render_reconciliations(found: Mapping[str, Reconciliation], output: str, by_module: bool = False) -> str:
    """The counts by name of the variant, as text that ends with a line break.

    Args:
        output: `table`, `markdown`, `json` (a list of objects, one a variant) or `csv` (a row for each module
            and pass).
        by_module: Whether each module is shown, and not the whole model alone.
    """
    if output == "json":
        return json.dumps([_data(name, one, by_module) for name, one in found.items()], indent=1) + "\n"
    if output == "csv":
        return write_rows([row for name, one in found.items() for row in _rows(name, one, by_module)], output)
    if by_module:
        parts = [_modules(name, one, output) for name, one in found.items()]
        return "\n\n".join([*parts, f"{LEGEND} {EACH}"]) + "\n"
    cells = [line for name, one in found.items() for line in _lines(name, one.whole, one.modules)]
    lengths = {one.context_length for one in found.values()}
    sequences = f"{min(lengths)} tokens" if len(lengths) == 1 else "as many tokens as fill each context"
    said = [f"{_verdict(found.values())} Sequences of {sequences}.", LEGEND]
    said += [f"{name}: {remark}" for name, one in found.items() for remark in _remarks(one)]
    return "\n".join([_table("variant", cells, output), "", *said, ""])


def _modules(name: str, one: Reconciliation, output: str) -> str:
    """A variant's modules, and what is to be said of them."""
    cells = []
    for module in one.modules:
        place = module.place
        label = place.name if output == "markdown" else "  " * place.depth + place.label
        label = label or name
        cells += _lines(f"{label}  {place.count} x" if place.count > 1 else label, module, [module])
    told = f"{_verdict([one])} Sequence of {one.context_length} tokens."
    return "\n".join([_table("module", cells, output), "", told, *_remarks(one)])


def _remarks(one: Reconciliation) -> list[str]:
    operators = [f"{operator.removeprefix('aten::')} {count}" for operator, count in one.left_out.items()]
    return [f"operators that fvcore leaves out: {', '.join(operators) or 'none'}", *one.notes]


def _lines(label: str, shown: ModuleCounts, judged: Sequence[ModuleCounts]) -> list[list[str]]:
    """A line for each pass of a module.

    Args:
        judged: The modules whose counts must agree.
    """
    lines = []
    for name in PASSES:
        wrong = [module.place.name or "the sum" for module in judged if not getattr(module, name).agree]
        numbers = [MISSING if n is None else f"{n:,}" for n in asdict(getattr(shown, name)).values()]
        told = f"differ in {_names(wrong)}" if len(judged) > 1 else "differ"
        lines.append([label, name, *numbers, told if wrong else "agree"])
        label = ""
    return lines


def _names(names: Sequence[str], most: int = 3) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _verdict(found: Iterable[Reconciliation]) -> str:
    modules = [module for one in found for module in one.modules]
    if wrong := sum(not module.agree for module in modules):
        return f"The counts differ in {wrong} of {plural(len(modules), 'module')}."
    return f"The counts agree to the integer in {plural(len(modules), 'module')}."


def _table(first: str, cells: list[list[str]], output: str) -> str:
    return write_table(cells, (first, *HEADS), ("left", "left", "right", "right", "right", "left"), output)


def _data(name: str, one: Reconciliation, by_module: bool) -> dict[str, Any]:
    whole = one.whole
    data = {
        "variant": name,
        "context_length": one.context_length,
        "agree": one.agree,
        **{each: asdict(getattr(whole, each)) for each in PASSES},
        "left_out": dict(one.left_out),
        "notes": list(one.notes),
    }
    if by_module:
        data["modules"] = [
            {
                "module": module.place.name,
                "count": module.place.count,
                "agree": module.agree,
                **{each: asdict(getattr(module, each)) for each in PASSES},
            }
            for module in one.modules
        ]
    return data


def _rows(name: str, one: Reconciliation, by_module: bool) -> Iterator[dict[str, Any]]:
    """A row for each module and pass; without modules, the whole model's, judged by all of them."""
    for module in one.modules if by_module else [one.whole]:
        judged = [module] if by_module else one.modules
        for each in PASSES:
            yield {
                "variant": name,
                "context_length": one.context_length,
                "module": module.place.name,
                "count": module.place.count,
                "pass": each,
                **asdict(getattr(module, each)),
                "agree": all(getattr(other, each).agree for other in judged),
            }
