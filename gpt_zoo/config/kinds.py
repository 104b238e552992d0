"""The kinds of component that a config may name, by slot, and how a slot of a config is read."""

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gpt_zoo.config.attention.grouped_query import GroupedQueryAttentionConfig
from gpt_zoo.config.attention.multi_head import MultiHeadAttentionConfig
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.block.sequential import TransformerBlockConfig
from gpt_zoo.config.component import Component
from gpt_zoo.config.feed_forward.gated import GatedFeedForwardConfig
from gpt_zoo.config.feed_forward.plain import FeedForwardConfig
from gpt_zoo.config.norm.layer_norm import LayerNormConfig
from gpt_zoo.config.norm.rms_norm import RMSNormConfig
from gpt_zoo.config.position.learned import LearnedPositionConfig
from gpt_zoo.config.position.none import NoPositionConfig
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.config.position.sinusoidal import SinusoidalPositionConfig


def _by_kind(*configs: type[Component]) -> dict[str, type[Component]]:
    return {config.model_fields["kind"].default: config for config in configs}


KINDS: dict[str, dict[str, type[Component]]] = {
    "attention": _by_kind(MultiHeadAttentionConfig, GroupedQueryAttentionConfig),
    "position": _by_kind(
        LearnedPositionConfig, SinusoidalPositionConfig, RotaryPositionConfig, NoPositionConfig
    ),
    "norm": _by_kind(LayerNormConfig, RMSNormConfig),
    "feed_forward": _by_kind(FeedForwardConfig, GatedFeedForwardConfig),
    "block": _by_kind(TransformerBlockConfig),
}


class Slot:
    """Annotates a field of a config that holds one of the kinds of a slot, told apart by `kind`.

    The kinds are looked up when a config is read, not when this class is made, so that a kind which is added
    later is known everywhere at once.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, value: Any) -> Component:
        """The component that `value`, a mapping with a `kind` or a component, declares."""
        kinds = KINDS[self.name]
        if isinstance(value, Component) and type(value) in kinds.values():
            return value
        example = f"{{kind: {next(iter(kinds))}}}"
        if not isinstance(value, dict) or "kind" not in value:
            fix = f"{{kind: {value}}}" if isinstance(value, str) and value in kinds else example
            message = f"`{self.name}` must be a mapping with a `kind`, such as {fix}"
            raise PydanticCustomError("slot", "{message}", {"message": message})
        kind = value["kind"]
        if not isinstance(kind, str) or kind not in kinds:
            message = f"`{self.name}` has no kind `{kind}`; {did_you_mean(str(kind), kinds)}"
            raise PydanticCustomError("slot", "{message}", {"message": message})
        return kinds[kind].model_validate(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.model_dump()),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"oneOf": [handler(config.__pydantic_core_schema__) for config in KINDS[self.name].values()]}
