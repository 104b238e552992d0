"""What differs between two configs, and what each difference alone costs."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from pydantic import ValidationError

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.component import Component
from gpt_zoo.cost import Cost, model_cost
from registry.errors import describe
from registry.key_path import KeyPath, format_key_path
from registry.kinds import shortest

Group = frozenset[KeyPath]

MAX_PARTNERS = 2
"""Fields which cannot change alone are tried with so many others in every combination."""


@dataclass(frozen=True)
class CostChange:
    """What a change adds to the cost of a model; negative where it saves."""

    params: int
    flops_forward_per_token: int
    """Of a sequence that fills the context."""
    kv_cache_bytes_per_token: int
    """In numbers of 2 bytes, while no window is full."""
    kv_cache_bytes: int
    """Of one sequence that fills the context."""


@dataclass(frozen=True)
class FieldChange:
    """A field with another value. A component of another kind is one field."""

    field: str
    """Its key path."""
    a: Any
    b: Any


@dataclass(frozen=True)
class Difference:
    """Fields that can only change together, mostly a single one, and what that alone costs."""

    fields: tuple[FieldChange, ...]
    cost: CostChange
    together_because: str = ""
    """The rule that one of several fields breaks without the others."""


@dataclass(frozen=True)
class ConfigDiff:
    """All differences. Their costs need not add up to the total: width and depth multiply."""

    differences: tuple[Difference, ...]
    total: CostChange


def diff_configs(a: GPTConfig, b: GPTConfig) -> ConfigDiff:
    """What differs, field by field, and what `a` would cost more with one difference alone.

    Where `a` breaks a rule with one difference alone, that one is told together with the fewest others that
    make it valid.
    """
    changing = _Changing(a, b)
    differences = []
    for group in changing.groups():
        paths = [path for path in changing.paths if path in group]
        fields = tuple(FieldChange(format_key_path(path), _value(a, path), _value(b, path)) for path in paths)
        why = next((rule for path in paths if (rule := changing.broken_rule(frozenset([path])))), "")
        differences.append(Difference(fields, changing.cost(group), why))
    return ConfigDiff(tuple(differences), _change(model_cost(a), model_cost(b)))


class _Changing:
    """`a` on its way to `b`."""

    def __init__(self, a: GPTConfig, b: GPTConfig) -> None:
        self.a, self.b = a.model_dump(mode="json"), b.model_dump(mode="json")
        self.before = model_cost(a)
        self.paths = list(_differing(self.a, self.b))
        self._known: dict[Group, GPTConfig | str] = {}

    def groups(self) -> list[Group]:
        """The differing fields in as many valid groups as are found, in the order of the config."""
        groups = [frozenset([path]) for path in self.paths]
        for partners in range(1, len(groups)):
            while joined := self._join(groups, partners):
                groups = [group for group in groups if not group <= joined] + [joined]
        return sorted(groups, key=lambda group: min(map(self.paths.index, group)))

    def _join(self, groups: list[Group], partners: int) -> Group | None:
        """The union of a group that is not valid by itself with others; None if there is no such group."""
        for group in filter(self.broken_rule, groups):
            others = sorted((other for other in groups if other != group), key=self._is_valid)
            if partners > MAX_PARTNERS:
                return self._reduce(group, others)
            for chosen in combinations(others, partners):
                union = group.union(*chosen)
                if self._is_valid(union):
                    return union
        return None

    def _reduce(self, group: Group, others: list[Group]) -> Group:
        """A valid union of `group` and others, from which none can be left out."""
        union = group.union(*others)  # is `b`
        for other in reversed(others):
            if self._is_valid(union - other):
                union -= other
        return union

    def _is_valid(self, group: Group) -> bool:
        return not self.broken_rule(group)

    def broken_rule(self, group: Group) -> str:
        """What forbids `a` with the fields of `group` as in `b`; empty if nothing does."""
        config = self._config(group)
        return config if isinstance(config, str) else ""

    def cost(self, group: Group) -> CostChange:
        """Of a valid group."""
        config = self._config(group)
        assert isinstance(config, GPTConfig)
        return _change(self.before, model_cost(config))

    def _config(self, group: Group) -> GPTConfig | str:
        if group not in self._known:
            data = copy.deepcopy(self.a)
            for path in group:
                _put(data, path, _get(self.b, path))
            try:
                self._known[group] = GPTConfig.model_validate(data)
            except ValidationError as error:
                self._known[group] = describe(error.errors()[0])
        return self._known[group]


def _differing(a: Any, b: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Where the same things have different values: leaves, and mappings or lists that are no longer alike."""
    if a == b:
        return
    if (
        isinstance(a, dict)
        and isinstance(b, dict)
        and a.keys() == b.keys()
        and a.get("kind") == b.get("kind")
    ):
        steps: Iterable[Any] = a
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        steps = range(len(a))
    else:
        yield path
        return
    for step in steps:
        yield from _differing(a[step], b[step], (*path, step))


def _get(data: Any, path: KeyPath) -> Any:
    for step in path:
        data = data[step]
    return data


def _put(data: Any, path: KeyPath, value: Any) -> None:
    _get(data, path[:-1])[path[-1]] = value


def _value(config: GPTConfig, path: KeyPath) -> Any:
    """Plain data, of a component as short as it can be declared."""
    value: Any = config
    for step in path:
        value = getattr(value, step) if isinstance(value, GPTConfig | Component) else value[step]  # type: ignore[arg-type]
    return shortest(value) if isinstance(value, Component) else value


def _change(before: Cost, after: Cost) -> CostChange:
    return CostChange(
        after.params - before.params,
        after.flops_forward // after.context_length - before.flops_forward // before.context_length,
        after.kv_cache_bytes_per_token - before.kv_cache_bytes_per_token,
        after.kv_cache_bytes - before.kv_cache_bytes,
    )
