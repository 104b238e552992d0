"""Cutting a row of things into parts that are small enough."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def parts_of(things: Iterable[T], size: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """Neighbours which together have `limit` at most, or one that alone has more.

    Args:
        size: Of one of them, in the unit of the limit.
    """
    part: list[T] = []
    total = 0
    for thing in things:
        if part and total + size(thing) > limit:
            yield part
            part, total = [], 0
        part.append(thing)
        total += size(thing)
    if part:
        yield part
