"""Training FLOPs by several conventions: each with its formula and its source."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.costs.written import write_rows, write_table
from experiments.units import MISSING, format_count, format_flops
from gpt_zoo.cost.conventions import HEADLINE, ConventionFlops

WIDTH = 110


def render_conventions(
    found: Mapping[str, Sequence[ConventionFlops]], output: str, tokens: int | None = None
) -> str:
    """What each convention counts, by name of the variant, as text that ends with a line break.

    Args:
        output: `table`, `markdown`, `json` (a list of objects with every digit) or `csv` (the same).
        tokens: Of the run that was counted, if one was.
    """
    if output in ("json", "csv"):
        rows = [_row(name, one, flops, tokens) for name, flops in found.items() for one in flops]
        return write_rows(rows, output)
    heads = ["variant", "convention", "formula for a token", "N", "train/token", "of headline"]
    heads += [] if tokens is None else ["run"]
    cells = [line for name, flops in found.items() for line in _lines(name, flops, tokens)]
    table = write_table(cells, heads, ["left"] * 3 + ["right"] * (len(heads) - 3), output)
    return "\n".join([table, "", *_notes(found, tokens), ""])


def _lines(name: str, flops: Sequence[ConventionFlops], tokens: int | None) -> list[list[str]]:
    lines = []
    for one in flops:
        relative = _relative(one, flops)
        cells = [
            name,
            one.convention.name,
            one.convention.formula,
            "" if one.parameters is None else format_count(one.parameters, trim=True),
            format_flops(one.flops_train_per_token, trim=True),
            MISSING if relative is None else f"{relative:.3f}",
        ]
        lines.append(cells if tokens is None else [*cells, format_flops(one.flops_train, trim=True)])
        name = ""
    return lines


def _relative(one: ConventionFlops, flops: Sequence[ConventionFlops]) -> float | None:
    (headline,) = (other for other in flops if other.convention.name == HEADLINE)
    if one.flops_train_sequence is None or headline.flops_train_sequence is None:
        return None
    return one.flops_train_sequence / headline.flops_train_sequence


def _notes(found: Mapping[str, Sequence[ConventionFlops]], tokens: int | None) -> list[str]:
    lengths = sorted({one.context_length for flops in found.values() for one in flops})
    sequences = f"of {lengths[0]} tokens" if len(lengths) == 1 else "that fill each context"
    run = "" if tokens is None else f" Run: {format_count(tokens, trim=True)} tokens."
    notes = [f"Training FLOPs, in sequences {sequences}.{run}"]
    shown = dict.fromkeys(one.convention for flops in found.values() for one in flops)
    notes += [f"{convention.name}: {convention.source}." for convention in shown]
    for name, flops in found.items():
        reasons: dict[str, list[str]] = {}
        for one in flops:
            if one.misfit:
                reasons.setdefault(one.misfit, []).append(one.convention.name)
        notes += [f"{name} has no {', '.join(names)}: {reason}." for reason, names in reasons.items()]
    return [line for note in notes for line in textwrap.wrap(note, WIDTH, subsequent_indent="  ")]


def _row(
    name: str, one: ConventionFlops, flops: Sequence[ConventionFlops], tokens: int | None
) -> dict[str, Any]:
    return {
        "variant": name,
        "convention": one.convention.name,
        "formula": one.convention.formula,
        "source": one.convention.source,
        "context_length": one.context_length,
        "parameters": one.parameters,
        "flops_train_sequence": one.flops_train_sequence,
        "flops_train_per_token": one.flops_train_per_token,
        "of_headline": _relative(one, flops),
        "tokens": tokens,
        "flops_train": one.flops_train,
        "misfit": one.misfit,
    }
