"""What to say of a match that is not near enough: how near it gets, and what it would take."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from registry.key_path import parse_key_path
from registry.matching.fields import OF_LAYERS, whole_numbers
from registry.matching.result import Match, tell_share
from registry.matching.search import Matching

PROPOSED = ("hidden_dim", "emb_dim", "n_layers", "n_kv_heads", "n_experts")
"""Names of fields that are proposed: what models of a family differ in."""


def explain_miss(matching: Matching, match: Match) -> str:
    """Why no value is near enough, the nearest ones, and changes of the goal that would do, each tried."""
    goal, variant = match.goal, matching.variant
    wanted = f"`{goal.on}` of {match.target_name}, {match.target:,}"
    text = (
        f"{variant.name} does not come within {goal.tolerance:.4g} of {wanted}, by "
        f"{', '.join(goal.by)}: {_how_near(match)}"
    )
    return f"{text}; it would take {', or '.join(_ways(matching, match))}{tell_shadowed(match)}"


def _how_near(match: Match) -> str:
    ends = [end for end in (match.below, match.above) if end]
    if all(end.cost == match.cost_before for end in ends) and not match.values:
        return f"these do not change it from {match.cost:,} ({tell_share(match.difference())})"
    others = ", ".join(
        f"{field} {value}"
        for field, value in match.after.items()
        if field != match.last and value is not None
    )
    near = " and ".join(
        f"{match.last} {end.value} with {end.cost:,} ({tell_share(match.difference(end.cost))})"
        for end in ends
    )
    if len(ends) == 1:
        near += f", and no value gives {'more' if match.above is None else 'less'}"
    return f"the nearest {'are' if len(ends) > 1 else 'is'} {near}" + (f", with {others}" if others else "")


def _ways(matching: Matching, match: Match) -> Iterator[str]:
    goal = match.goal
    found = [other for other in _with_one_more(matching) if other.within]
    for other in sorted(found, key=lambda other: abs(other.difference())):
        values = ", ".join(f"{field} {value}" for field, value in other.after.items())
        yield f"`{other.goal.by[-1]}` free as well ({values}: {tell_share(other.difference())})"
    multiple = goal.multiple_of // 2
    while multiple:
        other = matching.with_goal(replace(goal, multiple_of=multiple)).best()
        if other.within:
            yield f"multiples of {multiple} ({tell_share(other.difference())})"
            break
        multiple //= 2
    needed = abs(match.difference())
    if needed < 1:
        yield f"a tolerance of {_rounded_up(needed):.2g}"
    elif not found:
        yield "several other fields"


def _with_one_more(matching: Matching) -> Iterator[Match]:
    """What comes of setting each other field free too, where that is possible."""
    goal = matching.goal
    for field in whole_numbers(matching.variant.config):
        if field in goal.by or field.rpartition(".")[2] not in PROPOSED:
            continue
        try:
            match = matching.with_goal(replace(goal, by=(*goal.by, field))).best()
        except ValueError:
            continue
        if field in match.values:
            yield match


def _rounded_up(number: float) -> float:
    """To two digits."""
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return math.ceil(number / unit) * unit


def tell_shadowed(match: Match) -> str:
    """Which layers did not take part, as the tail of a sentence; empty if all did."""
    told = ""
    for field, layers in match.shadowed.items():
        numbers = ", ".join(map(str, layers[:8])) + (" ..." if len(layers) > 8 else "")
        told += (
            f"; `{field}` does not reach {len(layers)} of {match.variant.config.n_layers} layers, which have "
            f"their own: {numbers}"
        )
        if owners := list(_owners(match, field)):
            told += f" (in {', '.join(f'`{owner}`' for owner in owners)}, which can be set free too)"
    return told


def _owners(match: Match, field: str) -> Iterator[str]:
    """Where overrides of layers give a field of the whole model."""
    for key in OF_LAYERS:
        for index, override in enumerate(getattr(match.variant.config, key)):
            value: Any = override
            for step in parse_key_path(field):
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                yield f"{key}[{index}].{field}"
