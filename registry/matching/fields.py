"""The whole numbers of a config that may be set free, and configs with other values for them."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.feed_forward.dense import DenseFeedForwardConfig
from gpt_zoo.config.layer_plan import layers_at
from registry.key_path import KeyPath, format_key_path, parse_key_path

OF_LAYERS = ("layers", "single_layers")


def whole_numbers(config: GPTConfig) -> dict[str, int | None]:
    """All fields of a config that are whole numbers, by key path, with the values that they stand for."""
    return dict(_whole_numbers(config, config, ()))


def _whole_numbers(part: BaseModel, model: GPTConfig, path: KeyPath) -> Iterator[tuple[str, int | None]]:
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from _whole_numbers(value, model, (*path, name))
        elif _is_whole(field.annotation):
            if name == "hidden_dim" and isinstance(part, DenseFeedForwardConfig):
                value = part.hidden(model)
            yield format_key_path((*path, name)), value


def _is_whole(annotation: Any) -> bool:
    kinds = [annotation]
    for kind in kinds:  # grows: `int | None`, and what is annotated in there
        kinds.extend(get_args(kind))
    return int in kinds and bool not in kinds and float not in kinds


def read_field(config: GPTConfig, field: str) -> int | None:
    """The value of a field, also of one in `layers`; what stands for it where it is left to a default.

    Raises:
        ValueError: the config has no whole number there.
    """
    path = parse_key_path(field)
    seen, within = _seen_from(config, path)
    known = whole_numbers(seen)
    name = format_key_path(within)
    if name not in known:
        raise ValueError(f"`{field}` is no whole number of the config; {did_you_mean(name, known)}")
    return known[name]


def _seen_from(config: GPTConfig, path: KeyPath) -> tuple[GPTConfig, KeyPath]:
    """The config in which a path stands, and the path there: those of a layer for an override of layers."""
    if path[0] not in OF_LAYERS:
        return config, path
    overrides = getattr(config, str(path[0]))
    if len(path) < 3 or not isinstance(path[1], int) or path[1] >= len(overrides):
        raise ValueError(
            f"`{format_key_path(path)}` leads to no override: `{path[0]}` is a list of {len(overrides)}"
        )
    first = path[1] if path[0] == "layers" else layers_at(overrides[path[1]])[0] % config.n_layers
    return config.layer(first), path[2:]


def with_values(config: GPTConfig, values: Mapping[str, int]) -> GPTConfig:
    """The config with other values for some fields, by key path.

    Raises:
        pydantic.ValidationError: (a ValueError) they break a rule.
    """
    data = config.model_dump(mode="json")
    for field, value in values.items():
        _put(data, parse_key_path(field), value)
    return GPTConfig.model_validate(data)


def _put(data: Any, path: KeyPath, value: int) -> None:
    *parents, name = path
    for step in parents:
        if isinstance(step, str):
            data.setdefault(step, {})
        data = data[step]
    data[name] = value
    if name == "hidden_dim" and data.get("hidden_multiple") is not None:
        data["hidden_multiple"] = None  # the two say the same thing


def layers_that_override(config: GPTConfig, field: str) -> list[int]:
    """The layers, from 0, that have a value of their own for a field of the whole model."""
    if parse_key_path(field)[0] in OF_LAYERS:
        return []
    value = whole_numbers(config)[field]
    return [
        index
        for index in range(config.n_layers)
        if (layer := whole_numbers(config.layer(index))).get(field, value) != value or field not in layer
    ]
