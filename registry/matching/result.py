"""What is asked of a match, and what came of it."""

from dataclasses import dataclass

from registry.matching.axis import Point
from registry.matching.costs import check_cost_name
from registry.variant import Variant

Values = dict[str, int]
"""Whole numbers of a config by key path."""


@dataclass(frozen=True)
class Goal:
    """What is asked of a match.

    Args:
        on: The cost, a name of `COSTS`.
        by: Key paths of the whole numbers that are free.
        tolerance: Largest difference, as a share of the target.
        multiple_of: Of which free widths are multiples; not counts, whose names begin with `n_`.

    Raises:
        ValueError: an unknown cost, no field or one twice, a tolerance below 0, a multiple of less than 1.
    """

    on: str
    by: tuple[str, ...]
    tolerance: float = 0.01
    multiple_of: int = 1

    def __post_init__(self) -> None:
        check_cost_name(self.on)
        if not self.by:
            raise ValueError("a match needs a field to adjust; give one, such as feed_forward.hidden_dim")
        if len(set(self.by)) < len(self.by):
            raise ValueError(f"each field may be set free once, got {', '.join(self.by)}")
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"the tolerance is a share from 0 to 1, got {self.tolerance}; try 0.01")
        if self.multiple_of < 1:
            raise ValueError(f"widths are multiples of 1 or more, got {self.multiple_of}; try 1, 8 or 64")


@dataclass(frozen=True)
class Match:
    """A variant adjusted to a target, as near as it gets.

    Args:
        variant: With the values that were found; as it was, if none brings it nearer.
        values: What was set; nothing, if the variant is as it was.
        before: What the free fields stood for; None where nothing stood for a number.
        after: What they stand for now.
        cost_before: Of the variant as it was.
        cost: Of `variant`.
        target: The cost asked for.
        target_name: Whose it is.
        context_length: Of the sequences that costs are counted for.
        last: The field that was adjusted last.
        below: Its nearest value that costs at most the target, the other fields as they are now. None if
            every value costs more.
        above: The same of those that cost more. None if no value does.
        shadowed: By free field, the layers from 0 that have a value of their own, which stayed.
    """

    variant: Variant
    goal: Goal
    values: Values
    before: dict[str, int | None]
    after: dict[str, int | None]
    cost_before: int
    cost: int
    target: int
    target_name: str
    context_length: int
    last: str
    below: Point | None
    above: Point | None
    shadowed: dict[str, list[int]]

    def difference(self, cost: int | None = None) -> float:
        """How far a cost, that of the match unless given, lies above the target, as a share of it."""
        return share(self.cost if cost is None else cost, self.target)

    @property
    def within(self) -> bool:
        """Whether the difference is within the tolerance."""
        return abs(self.difference()) <= self.goal.tolerance


def share(cost: int, target: int) -> float:
    """How far a cost lies above a target, as a share of it."""
    if cost == target:
        return 0.0
    return (cost - target) / target if target else float("inf")


def tell_share(share: float) -> str:
    """A share in percent with its sign, to three digits."""
    if abs(share) >= 10:
        return f"{100 * share:+,.0f}%"
    return f"{100 * share:+.3g}%" if share else "0%"
