"""A match for people and for programs: the variant before and after beside what it was adjusted to."""

import json
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from experiments.units import MISSING, format_value
from gpt_zoo.cost import model_cost
from registry.matching.advice import tell_shadowed
from registry.matching.costs import FIELDS, MEMORY, ON_SEQUENCES
from registry.matching.fields import whole_numbers
from registry.matching.result import Match, share, tell_share
from registry.variant import Variant

SHOWN = ("params", "non_embedding", "flops", "kv_bytes_per_token")
"""Costs that are shown beside the one that is matched."""


def render_match(match: Match, before: Variant, target: Variant, output: str) -> str:
    """A match as text that ends with a line break.

    Args:
        before: The variant as it was.
        target: What it was adjusted to.
        output: `table` or `json`.
    """
    if output == "json":
        return json.dumps(_data(match), indent=1, ensure_ascii=False) + "\n"
    rows = [*_field_rows(match, target), *_cost_rows(match, before, target)]
    heads = ["", "before", "after", target.name, "difference"]
    table = tabulate(rows, heads, "plain", colalign=("left", *["right"] * 4), disable_numparse=True)
    return f"{table}\n\n{_note(match)}\n"


def _data(match: Match) -> dict[str, Any]:
    return {
        "variant": match.variant.name,
        "target": match.target_name,
        **asdict(match.goal),
        "context_length": match.context_length,
        "before": match.before,
        "after": match.after,
        "cost_before": match.cost_before,
        "cost": match.cost,
        "cost_target": match.target,
        "difference": match.difference(),
        "field": match.last,
        "below": match.below and asdict(match.below),
        "above": match.above and asdict(match.above),
        "shadowed": match.shadowed,
    }


def _field_rows(match: Match, target: Variant) -> list[list[str]]:
    known = whole_numbers(target.config)
    return [
        [field, *(MISSING if value is None else str(value) for value in (old, new, known.get(field))), ""]
        for (field, old), new in zip(match.before.items(), match.after.values(), strict=True)
    ]


def _cost_rows(match: Match, before: Variant, target: Variant) -> list[list[str]]:
    costs = [model_cost(variant.config, match.context_length) for variant in (before, match.variant, target)]
    on = match.goal.on
    rows = []
    for name in dict.fromkeys((on, *SHOWN)):
        if name == on:
            values = [match.cost_before, match.cost, match.target]
        else:
            values = [getattr(cost, FIELDS[name]) for cost in costs]
        # Fields of a cost say their unit; memory is no such field.
        unit = FIELDS.get(name, "memory_bytes")
        cells = [format_value(unit, value, trim=True) for value in values]
        rows.append([name, *cells, tell_share(share(values[1], values[2]))])
    return rows


def _note(match: Match) -> str:
    goal = match.goal
    exact = f"{goal.on}: {match.cost:,} against {match.target:,}, {tell_share(match.difference())}"
    ends = [
        f"{match.last} {end.value} gives {tell_share(match.difference(end.cost))}"
        for end in (match.below, match.above)
        if end and end.cost != match.cost
    ]
    note = f"{exact}, within {goal.tolerance:.4g}" + (f"; {', '.join(ends)}" if ends else "")
    if not match.values:
        note += "; nothing is nearer than the variant as it is"
    note += tell_shadowed(match)
    if goal.on in ON_SEQUENCES:
        note += f".\nSequences of {match.context_length} tokens"
        note += ", in a step of AdamW" if goal.on == MEMORY else ""
    return f"{note}."
