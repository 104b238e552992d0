"""The whole numbers whose cost is nearest to a target. Which of them are valid is found by trying.

A cost is taken to rise or to fall with the number all the way, as the closed forms do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

LARGEST = 2**31
TRIES = 256
"""Neighbours tried for a valid one: widths are multiples of twice the heads, of which models have fewer."""
SPREAD = 64


@dataclass(frozen=True)
class Point:
    """A valid value and its cost."""

    value: int
    cost: int


class Axis:
    """The values of one field while all others stay.

    Args:
        cost_of: The cost of a value; None of one that is not valid.
        multiple_of: Other values are not considered.
    """

    def __init__(self, cost_of: Callable[[int], int | None], multiple_of: int = 1) -> None:
        self._cost_of, self._multiple_of = cost_of, multiple_of
        self._known: dict[int, Point | None] = {}

    def point(self, value: int) -> Point | None:
        """The value with its cost, if it is valid."""
        if value not in self._known:
            cost = self._cost_of(value)
            self._known[value] = None if cost is None else Point(value, cost)
        return self._known[value]

    def near(self, value: int, low: int = 0, high: int = LARGEST + 1) -> Point | None:
        """The valid value nearest to `value` of those between `low` and `high`, both excluded."""
        tried = islice(self._outwards(value, low, high), TRIES)
        return next((point for candidate in tried if (point := self.point(candidate))), None)

    def _outwards(self, value: int, low: int, high: int) -> Iterator[int]:
        step = self._multiple_of
        value = max(low + 1, min(value, high - 1))
        above = -(-value // step) * step
        below = above - step
        while above < high or below > low:
            if low < above < high:
                yield above
            if low < below < high:
                yield below
            above, below = above + step, below - step

    def enclose(self, target: int, start: int = 1) -> tuple[Point | None, Point | None]:
        """Neighbours of which one costs at most `target` and the other more; None where there is no such.

        Args:
            start: A value that may be valid where no small one is.
        """
        low = best = self.near(1) or self.near(start)
        if low is None or best is None:
            return None, None
        high, leap = low, low.value
        while (high.cost > target) == (low.cost > target):
            further = self.near(high.value + leap, high.value)
            if further is None and leap > 1:  # the end of what is valid is near
                leap //= 2
                continue
            if further is None or self._leaves(high, further, target):
                return (None, best) if best.cost > target else (best, None)
            leap = 2 * leap if leap == high.value else leap
            low, high = high, further
            if abs(high.cost - target) < abs(best.cost - target):
                best = high
        while middle := self._between(low.value, high.value):
            if (middle.cost > target) == (low.cost > target):
                low = middle
            else:
                high = middle
        return (high, low) if low.cost > target else (low, high)

    def _leaves(self, point: Point, further: Point, target: int) -> bool:
        """Whether the target lies behind, seen from two values on the same side of it."""
        same_side = (further.cost > target) == (point.cost > target)
        return same_side and abs(further.cost - target) > abs(point.cost - target)

    def _between(self, low: int, high: int) -> Point | None:
        # Divisors of a number stand far apart: what is not near the middle may still be near an end.
        starts = ((low + high) // 2, low + 1, high - 1)
        return next((point for start in starts if (point := self.near(start, low, high))), None)

    def spread(self, low: int, high: int, count: int = SPREAD) -> list[Point]:
        """Valid values from `low` to `high`, so many at most, evenly apart."""
        wanted = [low + (high - low) * number // (count - 1) for number in range(count)]
        found = (self.near(value, low - 1, high + 1) for value in wanted)
        return list(dict.fromkeys(point for point in found if point))
