"""Context lengths at which the other of two models becomes the dearer one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

CostAt = Callable[[int], int]
"""A cost as a function of the context length."""


@dataclass(frozen=True)
class Crossing:
    """A context length from which on it is the other of two models that costs more.

    Args:
        context_length: The first such length.
        dearer: Which of the two costs more from there on, 0 or 1.
    """

    context_length: int
    dearer: int


def find_crossings(one: CostAt, other: CostAt, bends: Iterable[int]) -> list[Crossing]:
    """Where two costs cross, to the token; also where the first comes to differ that were equal before.

    Args:
        bends: Lengths between which both costs are straight lines, the first and the last included: so a
            stretch holds one crossing at most, which bisection finds.
    """
    lengths = sorted({*bends})
    found: list[Crossing] = []
    before = _dearer(one, other, lengths[0])
    for low, high in pairwise(lengths):
        now = _dearer(one, other, high)
        if now is not None and now != before:
            found.append(Crossing(_first_length(one, other, now, low, high), now))
            before = now
    return found


def _dearer(one: CostAt, other: CostAt, length: int) -> int | None:
    """Which costs more; None where both cost the same."""
    gap = one(length) - other(length)
    return None if gap == 0 else int(gap < 0)


def _first_length(one: CostAt, other: CostAt, wanted: int, low: int, high: int) -> int:
    """The first length above `low` at which `wanted` costs more, as it does from there to `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        if _dearer(one, other, middle) == wanted:
            high = middle
        else:
            low = middle
    return high
