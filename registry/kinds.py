"""All names that a config may give: the kinds of each slot, the activations, the initializations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from gpt_zoo.config.component import Component
from gpt_zoo.config.slot import KINDS
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.layers.initializations import INITIALIZATIONS


@dataclass(frozen=True)
class Parameter:
    """A key that a kind knows."""

    name: str
    required: bool
    default: Any
    """Plain data; None where the key is required."""
    description: str


@dataclass(frozen=True)
class Kind:
    """A name that a config may give, and what stands behind it."""

    slot: str
    """Where it may be given."""
    name: str
    parameters: tuple[Parameter, ...]
    source: str
    """Paper, or the formula of an activation."""
    plugin: str
    """The module that registered it; empty for what is shipped."""


def list_kinds() -> list[Kind]:
    """Everything that is registered, plug-ins that are loaded included, slot by slot."""
    return [
        *_components(),
        *_functions("activation", ACTIVATIONS),
        *_functions("initialization", INITIALIZATIONS),
    ]


def shortest(component: Component) -> dict[str, Any]:
    """The declaration of a component without what it has by default."""
    return {"kind": component.kind} | component.model_dump(mode="json", exclude_defaults=True)


def _components() -> Iterator[Kind]:
    for slot, kinds in KINDS.items():
        for name, config in kinds.items():
            fields = {key: field for key, field in config.model_fields.items() if key != "kind"}
            parameters = tuple(_parameter(key, field) for key, field in fields.items())
            yield Kind(slot, name, parameters, getattr(config, "source", ""), _plugin(config))


def _functions(slot: str, functions: dict[str, Any]) -> Iterator[Kind]:
    for name, function in functions.items():
        about = " ".join((function.__doc__ or "").split())
        yield Kind(slot, name, (), about, _plugin(function))


def _parameter(name: str, field: FieldInfo) -> Parameter:
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if isinstance(default, Component):
        default = shortest(default)
    return Parameter(name, field.is_required(), default, field.description or "")


def _plugin(thing: Any) -> str:
    module: str = thing.__module__
    return "" if module.partition(".")[0] == "gpt_zoo" else module
