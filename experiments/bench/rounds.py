"""The order in which contestants take turns, and what follows from their turns. Pure arithmetic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from gpt_zoo.parts import parts_of

T = TypeVar("T")


def turn_order(contestants: Sequence[T], round_number: int) -> list[T]:
    """All of them, each round beginning with the next one: none is always first after a pause."""
    if not contestants:
        return []
    first = round_number % len(contestants)
    return [*contestants[first:], *contestants[:first]]


def group_by_memory(needs: Mapping[T, int], always: Sequence[T], free_bytes: int) -> Iterator[list[T]]:
    """Groups which fit into memory at once, each with all of `always`.

    Args:
        needs: Bytes of each; one that is too large alone still gets a group.
        always: Those that all others are compared with, so that a ratio is of one round.
    """
    others = [one for one in needs if one not in always]
    left = free_bytes - sum(needs[one] for one in always)
    for group in parts_of(others, needs.__getitem__, left) if others else [[]]:
        yield [*always, *group]


@dataclass(frozen=True)
class Spread:
    """A median with the smallest and the largest."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread | None:
    """Of some values; None of none."""
    return Spread(median(values), min(values), max(values)) if values else None


def round_ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Spread | None:
    """Ours divided by theirs, in each round that both took part in: what slows a round slows both."""
    return spread([ours[number] / theirs[number] for number in sorted(ours) if number in theirs])
