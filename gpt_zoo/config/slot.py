"""Where components are found: the kinds of each slot by name, and how a slot of a config is read."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.component import Component

KINDS: dict[str, dict[str, type[Component]]] = {
    "attention": {},
    "position": {},
    "norm": {},
    "feed_forward": {},
    "block": {},
    "embedding": {},
    "head": {},
    "rotary_scaling": {},  # of rotary positions
    "expert": {},  # of a mixture of experts
}
"""The kinds by slot and name. `gpt_zoo.config.kinds` adds those that are shipped."""


def register_kind(slot: str, config: type[Component]) -> None:
    """Make `config` known as a kind of `slot`, under the default of its `kind`. Doing it twice does nothing.

    Args:
        slot: A key of `KINDS`: `attention`, `norm`, ...
        config: A Component with cost formulas, whose `module` names the nn.Module that computes it.

    Raises:
        ValueError: there is no such slot, `config` names no kind, or the name is taken.
    """
    if slot not in KINDS:
        raise ValueError(f"there is no slot `{slot}`; {did_you_mean(slot, KINDS)}")
    kind = config.model_fields["kind"].default
    if not isinstance(kind, str):
        raise ValueError(f'{config.__name__} must name its kind, such as `kind: Literal["mine"] = "mine"`')
    taken = KINDS[slot].setdefault(kind, config)
    if taken is not config:
        raise ValueError(f"`{slot}` already has a kind `{kind}`, {taken.__module__}.{taken.__name__}")


class Slot:
    """Annotates a field of a config that holds one of the kinds of a slot, told apart by `kind`.

    The kinds are looked up when a config is read, not when this class is made, so that a kind which is added
    later is known everywhere at once.

    Args:
        name: A key of `KINDS`.
        default: The kind of a mapping that names none.
        optional: Whether the field may be None.
    """

    def __init__(self, name: str, default: str | None = None, *, optional: bool = False) -> None:
        self.name, self.default, self.optional = name, default, optional

    @classmethod
    def of(cls, field: FieldInfo) -> "Slot | None":
        """The slot that a field of a config is, if it is one."""
        return next((mark for mark in field.metadata if isinstance(mark, cls)), None)

    def read(self, value: Any) -> Component | None:
        """The component that `value`, a mapping with a `kind` or a component, declares."""
        kinds = KINDS[self.name]
        if (value is None and self.optional) or (
            isinstance(value, Component) and type(value) in kinds.values()
        ):
            return value
        if not isinstance(value, dict):
            near = get_close_matches(value, kinds, n=1) if isinstance(value, str) else []
            raise self._kind_wanted(near)
        if "kind" not in value:
            # What the default kind lacks may tell which one was meant.
            fitting = [kind for kind, config in kinds.items() if value.keys() <= config.model_fields.keys()]
            if self.default is None or (fitting and self.default not in fitting):
                raise self._kind_wanted(fitting)
        kind = value.get("kind", self.default)
        if not isinstance(kind, str) or kind not in kinds:
            message = f"`{self.name}` has no kind `{kind}`; {did_you_mean(str(kind), kinds)}"
            raise PydanticCustomError("slot", "{message}", {"message": message})
        return kinds[kind].model_validate(value)

    def _kind_wanted(self, fitting: Sequence[str]) -> PydanticCustomError:
        example = next(kind for kind in (*fitting, self.default, *KINDS[self.name]) if kind)
        message = f"`{self.name}` must be a mapping with a `kind`, such as {{kind: {example}}}"
        return PydanticCustomError("slot", "{message}", {"message": message})

    def write(self, value: Component | None, info: core_schema.SerializationInfo) -> dict[str, Any] | None:
        """What declares the component; without its defaults it still says its kind."""
        if value is None:
            return None
        declared = value.model_dump(mode=info.mode, exclude_defaults=info.exclude_defaults)
        return {"kind": value.kind, **declared}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, info_arg=True),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        kinds = [handler(config.__pydantic_core_schema__) for config in KINDS[self.name].values()]
        return {"oneOf": [*kinds, {"type": "null"}] if self.optional else kinds}
