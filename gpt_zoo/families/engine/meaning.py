"""What a config computes: its values with everything resolved that can be said in more than one way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from gpt_zoo.config.attention.gated_linear import GatedLinearAttentionConfig
from gpt_zoo.config.attention.heads import HeadsAttentionConfig
from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.feed_forward.base import FeedForwardBaseConfig
from gpt_zoo.config.feed_forward.dense import DenseFeedForwardConfig
from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.layer_plan import LAYER_KEYS
from gpt_zoo.config.position.base import AttentionPositionConfig, EmbeddedPositionConfig
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.config.position.rotary_scaling import NTKScalingConfig, YarnScalingConfig

Data = dict[str, Any]
ABSENT = object()


def look_up(data: Data, path: str, default: Any = None) -> Any:
    """The value at a dotted path."""
    place: Any = data
    for key in path.split("."):
        if not isinstance(place, dict) or key not in place:
            return default
        place = place[key]
    return place


class Meaning:
    """What a config computes, which is what a family's rows write.

    A path such as `attention.window` means the model's value, or that of the first layer that has one. Values
    are resolved: `attention.head_dim`, `attention.n_kv_heads`, `attention.scale`, `attention.query_bias` and
    `feed_forward.hidden_dim` are never None where they mean something, `embedding.multiplier` is a number, a
    window that reaches over the whole context is None. What only training minds (dropout, initialization,
    balance losses) stands in `config`.
    """

    def __init__(self, config: GPTConfig) -> None:
        self.config = config
        seen: dict[int, Data] = {}  # layers that are alike are one object
        layers = [config.layer(index) for index in range(config.n_layers)]
        self.layers = [
            seen.setdefault(id(layer), {}) or _filled(seen[id(layer)], layer, config) for layer in layers
        ]
        """Of each layer, nested."""
        self.model = _model_meaning(config)
        """Of what is no layer."""

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path, or the default."""
        for data in (self.model, *self.layers):
            if (value := look_up(data, path, ABSENT)) is not ABSENT:
                return value
        return default

    def __contains__(self, path: str) -> bool:
        return self.get(path, ABSENT) is not ABSENT

    def __getitem__(self, path: str) -> Any:
        value = self.get(path, ABSENT)
        if value is ABSENT:
            raise KeyError(path)
        return value

    def component(self, slot: str) -> Data:
        """What fills a slot of the first layer in which something does."""
        filled = (layer[slot] for layer in self.layers if layer[slot]["kind"] != "none")
        return next(filled, {"kind": "none"})


def _filled(data: Data, layer: GPTConfig, config: GPTConfig) -> Data:
    data.update(_layer_meaning(layer, config))
    return data


def _model_meaning(config: GPTConfig) -> Data:
    others = {*LAYER_KEYS, "layers", "single_layers", "initialization"}
    data = config.model_dump(mode="json", exclude=others)
    data["norm"] = config.norm.model_dump(mode="json")
    data["embedding"]["multiplier"] = config.embedding.factor(config)
    data["embedding"].pop("pad_to")  # rows that nothing reads
    return data


def _layer_meaning(layer: GPTConfig, config: GPTConfig) -> Data:
    data = layer.model_dump(mode="json", include=set(LAYER_KEYS) - {"drop_rate"})
    attention = layer.attention
    if isinstance(attention, SoftmaxAttentionConfig):
        data["attention"].pop("scale")  # comes last: it may follow from the size of a head
        data["attention"]["scale"] = attention.score_scale(layer)
        if (attention.window or 0) >= layer.context_length:
            data["attention"]["window"] = None
    if isinstance(attention, HeadsAttentionConfig):
        data["attention"].update(_heads_meaning(attention, layer))
        biases = attention.biases(layer)
        data["qkv_bias"] = all(biases)
        data["attention"].update(zip(("query_bias", "key_bias", "value_bias"), biases, strict=True))
    if isinstance(attention, GatedLinearAttentionConfig):
        sizes = attention.head_dims(layer)
        data["attention"].update(zip(("key_head_dim", "value_head_dim"), sizes, strict=True))
    data["position"] = _position_meaning(layer, config)
    data["feed_forward"] = _feed_forward_meaning(layer.feed_forward, layer)
    return data


def _heads_meaning(attention: HeadsAttentionConfig, layer: GPTConfig) -> Data:
    heads = attention.key_value_heads(layer)
    kind = attention.kind
    if kind in ("multi_head", "grouped_query", "multi_query"):
        kind = "multi_query" if heads == 1 else "grouped_query"
        kind = "multi_head" if heads == layer.n_heads else kind
    return {"kind": kind, "n_kv_heads": heads, "head_dim": attention.query_dim(layer)}


def _position_meaning(layer: GPTConfig, config: GPTConfig) -> Data:
    position = layer.position
    if not isinstance(position, AttentionPositionConfig):
        embedded = isinstance(config.position, EmbeddedPositionConfig)
        return config.position.model_dump(mode="json") if embedded else {"kind": "none"}
    data = position.model_dump(mode="json")
    if isinstance(position, RotaryPositionConfig):
        dim = layer.attention.position_dim(layer)
        data["fraction"] = position.turned(dim) / dim if dim else 1.0
        if isinstance(position.scaling, YarnScalingConfig):
            data["scaling"]["attention_factor"] = position.scaling.amplitude()
        if isinstance(position.scaling, NTKScalingConfig) and (turned := position.turned(dim)) > 2:
            data["base"] *= position.scaling.factor ** (turned / (turned - 2))  # it is nothing else
            data["scaling"] = None
    return data


def _feed_forward_meaning(part: FeedForwardBaseConfig, layer: GPTConfig) -> Data:
    data = part.model_dump(mode="json")
    if isinstance(part, DenseFeedForwardConfig):
        data["hidden_dim"] = part.hidden(layer)
        data.pop("hidden_multiple")
    if isinstance(part, MixtureOfExpertsConfig):
        data.pop("balance_loss")
        data["expert"] = _feed_forward_meaning(part.expert, layer)
        data["shared"] = None if part.shared is None else _feed_forward_meaning(part.shared, layer)
    return data


FOLLOWS = ("attention.scale",)
"""Values that follow from others unless they are given."""


class Difference(NamedTuple):
    """A value that two configs do not have in common."""

    path: str
    first: Any
    second: Any
    layer: int | None
    """The layer, if others have it alike."""

    def __str__(self) -> str:
        where = "" if self.layer is None else f" in layer {self.layer}"
        return f"`{self.path}`{where}: got {self.first!r}"


def find_difference(first: Meaning, second: Meaning) -> Difference | None:
    """The first value in which two configs compute something else; None if they compute the same."""
    found: list[tuple[int | None, str, Any, Any]] = [
        (index, *difference)
        for index, (one, other) in enumerate(zip(first.layers, second.layers, strict=False))
        for difference in _differences(one, other)
    ]
    found += [(None, *difference) for difference in _differences(first.model, second.model)]
    if not found:
        return None
    # A part of another kind says more than what follows from it, such as the scale from a size.
    index, path, a, b = min(found, key=lambda entry: (not entry[1].endswith("kind"), entry[1] in FOLLOWS))
    if all(look_up(layer, path) == a for layer in first.layers):
        index = None
    return Difference(path, a, b, index)


def _differences(one: Data, other: Data, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    if one.get("kind") != other.get("kind"):
        yield f"{prefix}kind", one.get("kind"), other.get("kind")
        return
    for key in [*one, *(key for key in other if key not in one)]:
        a, b = one.get(key), other.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from _differences(a, b, f"{prefix}{key}.")
        elif not _same(a, b):
            yield f"{prefix}{key}", a, b


def _same(a: Any, b: Any) -> bool:
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return math.isclose(a, b, rel_tol=1e-9) if numbers else bool(a == b)
