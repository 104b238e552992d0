"""A point of a space as the formulas of a config see it, which notes what they read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.component import Component
from gpt_zoo.config.layer_plan import LayerPlan, Recipe
from registry.costing.fields import FIELDS, Field, read_field

LookUp = Callable[[str], Any]


class InvalidLayerError(ValueError):
    """The overrides of a layer give it a value that no config can have."""


class PointView:
    """Stands for a `GPTConfig`: has its fields, and its layers. Nothing is validated or copied.

    A field is looked up when it is first read and then kept in `__dict__`, which so tells what was read. A
    formula that asks for more than fields and layers is given a whole config, and has read everything.

    Args:
        look_up: Gives the value of a field.
        merged: Fields of layers that were read before, for all points of a table.
    """

    def __init__(self, look_up: LookUp, merged: dict[Any, Field]) -> None:
        self._look_up, self._merged = look_up, merged

    def __getattr__(self, name: str) -> Any:
        if name in FIELDS:
            value = self.__dict__[name] = self._look_up(name)
            return value
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(GPTConfig.model_construct(**{field: getattr(self, field) for field in FIELDS}), name)

    def reads(self) -> frozenset[str]:
        """The fields that were read so far."""
        return FIELDS & self.__dict__.keys()

    @property
    def distinct_layers(self) -> list[tuple[GPTConfig, int]]:
        """As in a `GPTConfig`."""
        if not (self.layers or self.single_layers):
            return [(as_config(self), self.n_layers)]
        plan = self.plan
        return [(self._layer(recipe), plan.recipes.count(recipe)) for recipe in plan.distinct]

    def layer(self, index: int) -> GPTConfig:
        """As in a `GPTConfig`."""
        differ = self.layers or self.single_layers
        return self._layer(self.plan.recipes[index]) if differ else as_config(self)

    @cached_property
    def plan(self) -> LayerPlan:
        """Which overrides each layer has."""
        return LayerPlan(self.layers, self.single_layers, self.n_layers)

    @cached_property
    def _views(self) -> dict[Recipe, GPTConfig]:
        return {}

    def _layer(self, recipe: Recipe) -> GPTConfig:
        if recipe not in self._views:
            look_up = _LayerFields(self, self.plan, recipe)
            self._views[recipe] = as_config(PointView(look_up, self._merged))
        return self._views[recipe]

    def merge(self, key: str, recipe: Recipe) -> Any:
        """A field of the layer that has these overrides.

        Raises:
            InvalidLayerError: it is none.
        """
        base = getattr(self, key)
        # Values and overrides live as long as the table does: their identity is theirs alone.
        known = (key, id(base), id(self.layers), id(self.single_layers), recipe)
        if known not in self._merged:
            data = {"kind": base.kind, **base.model_dump()} if isinstance(base, Component) else base
            self._merged[known] = read_field(key, self.plan.lay(recipe, {key: data})[key])
        field = self._merged[known]
        if field.broken:
            raise InvalidLayerError(field.broken[0].message)
        return field.value


class _LayerFields:
    """Looks up a field of a layer: overridden, or that of the model."""

    def __init__(self, model: PointView, plan: LayerPlan, recipe: Recipe) -> None:
        self.model, self.recipe = model, recipe
        number, singles = recipe
        overrides = [
            *(() if number is None else (plan.repeated[number],)),
            *(plan.singles[n] for n in singles),
        ]
        self.overridden = {key for override in overrides for key in override}

    def __call__(self, name: str) -> Any:
        if name in ("layers", "single_layers"):
            return ()
        return self.model.merge(name, self.recipe) if name in self.overridden else getattr(self.model, name)


def as_config(view: PointView) -> GPTConfig:
    """The view under the type that formulas ask for."""
    return cast(GPTConfig, view)
