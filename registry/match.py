"""Variants adjusted to equal cost: an integer search over the closed forms. Nothing is built."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import ValidationError

from gpt_zoo.cost import Cost
from gpt_zoo.cost.memory import TrainingStep
from registry.errors import describe
from registry.key_path import format_key_path
from registry.match_cost import CostName, check_cost_name
from registry.match_field import layers_that_override, read_field, with_values
from registry.match_search import Axis, Point
from registry.variant import Variant

Values = dict[str, int]
Solution = tuple[Values, Point, tuple[Point | None, Point | None]]
"""Values of all free fields, the last one's cost, and the ends between which the target lies for that field."""


@dataclass(frozen=True)
class Goal:
    """What is asked of a match.

    Args:
        on: The cost, a name of `COSTS`.
        by: Key paths of the whole numbers that are free.
        tolerance: Largest difference, as a share of the target.
        multiple_of: Of which free widths are multiples; counts, whose names begin with `n_`, are not held to it.

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
        before: What the free fields were; None where nothing stood for a number.
        after: What they are now.
        cost_before: Of the variant as it was.
        cost: Of `variant`.
        target: The cost asked for.
        target_name: Whose it is.
        context_length: Of the sequences that costs are counted for.
        below: The dearest of the values next to each other that costs at most the target; of the field that
            was adjusted last, the others as they are now. None if even the cheapest value costs more.
        above: The cheapest one that costs more. None if no value does.
        shadowed: By free field, the layers from 0 that have a value of their own, which stayed.
    """

    variant: Variant
    goal: Goal
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

    @property
    def changed(self) -> Values:
        """The fields that have another value now, those left to a default included."""
        return {
            field: value
            for field, value in self.after.items()
            if value is not None and value != self.before[field]
        }


def share(cost: int, target: int) -> float:
    """How far a cost lies above a target, as a share of it."""
    if cost == target:
        return 0.0
    return (cost - target) / target if target else float("inf")


def match_variant(
    variant: Variant,
    target: Variant | Cost,
    on: str,
    by: Sequence[str],
    tolerance: float = 0.01,
    multiple_of: int = 1,
    context_length: int | None = None,
    step: TrainingStep = TrainingStep(),  # noqa: B008 (frozen)
) -> Match:
    """The variant whose cost is nearest to that of `target`.

    Of several fields, that whose next value changes the cost most is adjusted first, alone; the next ones make
    up for what remains, and if they cannot, other values of the former are tried. Every value obeys the rules
    of GPTConfig.

    Args:
        on: The cost, a name of `COSTS`.
        by: Key paths of the whole numbers that are free, such as `feed_forward.hidden_dim`, `n_layers`.
        tolerance: Largest difference that `Match.within` accepts, as a share of the target.
        multiple_of: Of which free widths are multiples.
        context_length: Of the sequences that costs are counted for; the smaller of both contexts unless given.
        step: Of training: its batch size and, for `memory`, its precision and optimizer.

    Raises:
        ValueError: an unknown cost or field, no valid value, or a context that one of both does not have.
    """
    matching = Matching(variant, target, Goal(on, tuple(by), tolerance, multiple_of), context_length, step)
    return matching.best()


class Matching:
    """One variant, what it is adjusted to, and the search for it.

    Args:
        variant, target, context_length, step: As for `match_variant`.
        thorough: Whether other values of a field are tried where those nearest by itself do not do.

    Raises:
        ValueError: as `match_variant`, but for what only the search shows.
    """

    def __init__(
        self,
        variant: Variant,
        target: Variant | Cost,
        goal: Goal,
        context_length: int | None = None,
        step: TrainingStep = TrainingStep(),  # noqa: B008 (frozen)
        thorough: bool = True,
    ) -> None:
        self.variant, self.goal, self._thorough = variant, goal, thorough
        self._given = target, context_length, step
        limit = target.context_length if isinstance(target, Cost) else target.config.context_length
        if isinstance(target, Cost):
            step = replace(step, batch_size=target.batch_size)
        self.context_length = context_length or limit
        if context_length is None and not isinstance(target, Cost):
            self.context_length = min(limit, variant.config.context_length)
        self.name = CostName(goal.on, self.context_length, replace(step, context_length=self.context_length))
        self.target_name = "the target" if isinstance(target, Cost) else target.name
        self.target = self.name.of_cost(target) if isinstance(target, Cost) else self.name.of(target.config)
        self.before = {field: read_field(variant.config, field) for field in goal.by}
        self.cost_before = self.name.of(variant.config)

    def with_goal(self, goal: Goal) -> "Matching":
        """The same with another goal, searched with less pains."""
        target, context_length, step = self._given
        return Matching(self.variant, target, goal, context_length, step, thorough=False)

    def best(self) -> Match:
        """The nearest of all that the search leads to; the variant as it is, if nothing is nearer.

        Raises:
            ValueError: no value of a free field is valid.
        """
        found = list(self._solutions({}, self.fields))
        if not found:
            raise ValueError(self._why_nothing_is_valid())
        values, chosen, ends = min(found, key=lambda one: abs(one[1].cost - self.target))
        config = with_values(self.variant.config, values)
        if abs(self.cost_before - self.target) <= abs(chosen.cost - self.target) and self._holds_now():
            values, config = {}, self.variant.config
        return Match(
            variant=replace(self.variant, config=config),
            goal=self.goal,
            before=self.before,
            after={field: values.get(field, self.before[field]) for field in self.goal.by},
            cost_before=self.cost_before,
            cost=self.name.of(config),
            target=self.target,
            target_name=self.target_name,
            context_length=self.context_length,
            last=self.fields[-1],
            below=ends[0],
            above=ends[1],
            shadowed={
                field: layers for field in self.goal.by if (layers := layers_that_override(config, field))
            },
        )

    @cached_property
    def fields(self) -> list[str]:
        """The free fields, the one whose next value changes the cost most first."""
        if len(self.goal.by) == 1:
            return list(self.goal.by)
        return sorted(self.goal.by, key=self._coarseness, reverse=True)

    def _coarseness(self, field: str) -> int:
        axis, now = self._axis({}, field), self.before[field] or 1
        next_one = axis.near(now + 1, now) or axis.near(now - 1, 0, now)
        return abs(next_one.cost - self.cost_before) if next_one else 0

    def _solutions(self, values: Values, fields: Sequence[str]) -> Iterator[Solution]:
        field, *rest = fields
        axis, now = self._axis(values, field), self.before[field]
        ends = axis.enclose(self.target, now or 1)
        same = axis.point(now) if now else None  # what does not matter stays
        below, above = (same if same and end and same.cost == end.cost else end for end in ends)
        if not rest:
            for point in filter(None, (below, above)):
                yield {**values, field: point.value}, point, (below, above)
            return
        near = [point.value for point in (below, above) if point]
        found = [one for value in near for one in self._solutions({**values, field: value}, rest)]
        if self._thorough and near and len(rest) == 1 and not any(map(self._is_near, found)):
            low, high = min([*near, now or 1]), max([*near, now or 1])
            for point in axis.spread(low // 2 + 1, 2 * high):
                found += self._solutions({**values, field: point.value}, rest)
        yield from found

    def _is_near(self, solution: Solution) -> bool:
        return abs(share(solution[1].cost, self.target)) <= self.goal.tolerance

    def _axis(self, values: Values, field: str) -> Axis:
        def cost_of(value: int) -> int | None:
            try:
                return self.name.of(with_values(self.variant.config, {**values, field: value}))
            except ValueError:
                return None

        return Axis(cost_of, self._multiple(field))

    def _multiple(self, field: str) -> int:
        return 1 if field.rpartition(".")[2].startswith("n_") else self.goal.multiple_of

    def _holds_now(self) -> bool:
        """Whether the values as they are obey `multiple_of`."""
        return all((value or 0) % self._multiple(field) == 0 for field, value in self.before.items())

    def _why_nothing_is_valid(self) -> str:
        free = " and ".join(f"`{field}`" for field in self.fields)
        try:
            with_values(self.variant.config, {field: self.goal.multiple_of for field in self.fields})
        except ValidationError as error:
            reason = f": {format_key_path(error.errors()[0]['loc'])}: {describe(error.errors()[0])}"
        else:
            reason = ""
        return f"no value of {free} makes a valid {self.variant.name}{reason}"
