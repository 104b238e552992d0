"""The values of one key of a config, validated once each, however many points have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from pydantic import ValidationError, ValidationInfo, model_validator

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.layer_plan import LAYER_KEYS
from registry.errors import describe
from registry.key_path import format_key_path

FIELDS = frozenset(GPTConfig.model_fields)
SMALLEST = {"vocab_size": 1, "context_length": 1, "emb_dim": 1, "n_heads": 1, "n_layers": 1}


class Broken(NamedTuple):
    """A rule that a config breaks: where, and what is said about it."""

    path: str
    message: str


class Unruled(GPTConfig):
    """A config whose fields are checked, each by itself, and no rule between them."""

    @model_validator(mode="after")
    def _check_rules(self, info: ValidationInfo) -> Self:
        return self


class Field(NamedTuple):
    """One value of a key.

    Args:
        value: As a config holds it; None where it is broken.
        broken: What is wrong with it by itself.
    """

    value: Any
    broken: tuple[Broken, ...] = ()


def read_field(key: str, data: Any) -> Field:
    """Validate one value of a key."""
    try:
        return Field(getattr(Unruled.model_validate({**SMALLEST, key: data}), key))
    except ValidationError as error:
        return Field(
            None, tuple(Broken(format_key_path(line["loc"]), describe(line)) for line in error.errors())
        )


def fix_field(key: str, field: Field, fixed: Mapping[str, Any]) -> Field:
    """The value as it is where some keys are the same for all models, whatever they or their layers say."""
    if key in fixed:
        return Field(fixed[key])
    own = fixed.keys() & set(LAYER_KEYS)
    if key in ("layers", "single_layers") and own and not field.broken:
        return Field(_without(field.value, own))
    return field


def _without(overrides: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> tuple[dict[str, Any], ...]:
    return tuple({key: value for key, value in layer.items() if key not in keys} for layer in overrides)
