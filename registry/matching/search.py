"""The search for the values of a variant's free fields whose cost is nearest to a target."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from pydantic import ValidationError

from gpt_zoo.cost import Cost
from gpt_zoo.cost.memory import TrainingStep
from registry.errors import describe
from registry.key_path import format_key_path
from registry.matching.axis import Axis, Point
from registry.matching.costs import CostName
from registry.matching.fields import layers_that_override, read_field, with_values
from registry.matching.result import Goal, Match, Values, share
from registry.variant import Variant

Solution = tuple[Values, Point, tuple[Point | None, Point | None]]
"""Values of all free fields, the last one's cost, and the ends between which the target lies for it."""


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
        if abs(self.cost_before - self.target) <= abs(chosen.cost - self.target) and self._holds_now():
            values = {}
        values = self._that_matter(values)
        config = with_values(self.variant.config, values)
        return Match(
            variant=replace(self.variant, config=config),
            goal=self.goal,
            values=values,
            before=self.before,
            after={field: read_field(config, field) for field in self.goal.by},
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
        alone = {end.cost for end in (below, above) if end}
        helps = any(point.cost not in alone for _, point, _ in found)
        if self._thorough and helps and len(rest) == 1 and not any(map(self._is_near, found)):
            low, high = min([*near, now or 1]), max([*near, now or 1])
            for point in axis.spread(low // 2 + 1, 2 * high):
                found += self._solutions({**values, field: point.value}, rest)
        yield from found

    def _is_near(self, solution: Solution) -> bool:
        return abs(share(solution[1].cost, self.target)) <= self.goal.tolerance

    def _that_matter(self, values: Values) -> Values:
        """The values without those that cost nothing: what was left to a default then stays so."""
        for field in [field for field in values if self.before[field] is None]:
            others = {name: value for name, value in values.items() if name != field}
            if self._cost(others) == self._cost(values):
                values = others
        return values

    def _cost(self, values: Values) -> int | None:
        """The cost with other values; None if they break a rule."""
        try:
            return self.name.of(with_values(self.variant.config, values))
        except ValueError:
            return None

    def _axis(self, values: Values, field: str) -> Axis:
        return Axis(lambda value: self._cost({**values, field: value}), self._multiple(field))

    def _multiple(self, field: str) -> int:
        return 1 if field.rpartition(".")[2].startswith("n_") else self.goal.multiple_of

    def _holds_now(self) -> bool:
        """Whether the values as they are obey `multiple_of`."""
        return all((value or 0) % self._multiple(field) == 0 for field, value in self.before.items())

    def _why_nothing_is_valid(self) -> str:
        free = " and ".join(f"`{field}`" for field in self.fields)
        try:
            with_values(self.variant.config, dict.fromkeys(self.fields, self.goal.multiple_of))
        except ValidationError as error:
            reason = f": {format_key_path(error.errors()[0]['loc'])}: {describe(error.errors()[0])}"
        else:
            reason = ""
        return f"no value of {free} makes a valid {self.variant.name}{reason}"
