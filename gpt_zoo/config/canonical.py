"""The one form that all configs of the same model share.

`grouped_query` with as many key/value heads as heads is `multi_head`; a hidden size that is the usual one
need not be given; a window as long as the context is none. Two configs with the same canonical form have
parameters of the same shapes, start from the same weights for the same seed, and give the same logits.
"""

from __future__ import annotations

import hashlib
import json
from functools import singledispatch
from typing import Any

from gpt_zoo.config.attention.gated_linear import GatedLinearAttentionConfig
from gpt_zoo.config.attention.grouped_query import GroupedQueryAttentionConfig
from gpt_zoo.config.attention.heads import HeadsAttentionConfig
from gpt_zoo.config.attention.latent import LatentAttentionConfig
from gpt_zoo.config.attention.multi_head import MultiHeadAttentionConfig
from gpt_zoo.config.attention.multi_query import MultiQueryAttentionConfig
from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.block.parallel import ParallelBlockConfig
from gpt_zoo.config.block.sequential import TransformerBlockConfig
from gpt_zoo.config.component import Component
from gpt_zoo.config.embedding.token import TokenEmbeddingConfig
from gpt_zoo.config.feed_forward.dense import DenseFeedForwardConfig
from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.layer_plan import LAYER_KEYS
from gpt_zoo.config.norm.none import NoNormConfig
from gpt_zoo.config.position.base import EmbeddedPositionConfig
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.config.position.rotary_scaling import LinearScalingConfig, NTKScalingConfig

HEAD_KINDS = (MultiHeadAttentionConfig, GroupedQueryAttentionConfig, MultiQueryAttentionConfig)
SHARED_KEYS = tuple(
    key for key in GPTConfig.model_fields if key not in (*LAYER_KEYS, "layers", "single_layers")
)
"""What all layers have alike."""
MODEL_OWN = ("drop_rate", "norm")
"""What a layer can override and the model itself reads too: for the embeddings, and before the head."""


def canonical(config: GPTConfig) -> GPTConfig:
    """The canonical form of `config`: itself, if nothing can be said more plainly."""
    return GPTConfig.model_validate(canonical_fields(config))


def hash_config(data: dict[str, Any]) -> str:
    """A name for the plain data of a config that depends on its content alone."""
    return hash_text(json.dumps(data, sort_keys=True))


def hash_text(text: str) -> str:
    """The same of the JSON of a config, its keys sorted."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def canonical_fields(model: GPTConfig) -> dict[str, Any]:
    """The fields of the canonical form."""
    return {key: canonical_field(model, key) for key in SHARED_KEYS} | canonical_layers(model)


def canonical_layers(model: GPTConfig) -> dict[str, Any]:
    """Those of them that a layer can override, and the overrides.

    What differs from layer to layer is said by `layers` alone, in its shortest period, and what all layers
    share by the model.
    """
    fields = {key: canonical_field(model, key) for key in LAYER_KEYS}
    if not (model.layers or model.single_layers):
        return fields | {"layers": (), "single_layers": ()}
    layers = [model.layer(index) for index in range(model.n_layers)]
    forms = {
        number: {key: canonical_field(layer, key) for key in LAYER_KEYS}
        for number, layer in {id(layer): layer for layer in layers}.items()
    }
    embedded = isinstance(fields["position"], EmbeddedPositionConfig)
    own = {*MODEL_OWN, *(("position",) if embedded else ())}
    first = forms[id(layers[0])]
    fields |= {key: value for key, value in first.items() if key not in own}
    differing = {number: _differing(form, fields) for number, form in forms.items()}
    overrides = [differing[id(layer)] for layer in layers]
    repeated = _shortest_period(overrides) if any(overrides) else []
    return fields | {"layers": tuple(repeated), "single_layers": ()}


def canonical_field(model: GPTConfig, key: str) -> Any:
    """A field of the canonical form of a model whose layers are alike, or of one layer."""
    value = getattr(model, key)
    if key == "qkv_bias" and isinstance(model.attention, HeadsAttentionConfig):
        biases = model.attention.biases(model)
        return biases[0] if len(set(biases)) == 1 else False
    if key == "final_norm":
        return value and not isinstance(model.norm, NoNormConfig)
    return simplest(value, model) if isinstance(value, Component) else value


def _differing(form: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """The override that makes a layer what it is, as plain data."""
    return {key: plain(value) for key, value in form.items() if value != fields[key]}


def plain(value: Any) -> Any:
    """A field of a config as it stands in JSON."""
    if isinstance(value, Component):
        return {"kind": value.kind} | value.model_dump(mode="json")
    return [dict(entry) for entry in value] if isinstance(value, tuple) else value


def _shortest_period(overrides: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return next(
        overrides[:length]
        for length in range(1, len(overrides) + 1)
        if all(override == overrides[index % length] for index, override in enumerate(overrides))
    )


@singledispatch
def simplest(component: Component, model: GPTConfig) -> Component:
    """The plainest component that is the same in `model`; of a kind that has no rule here, itself."""
    return component


def _changed(component: Component, **changes: Any) -> Component:
    """`component` with other values, or itself if they are its own."""
    different = {name: value for name, value in changes.items() if getattr(component, name) != value}
    return component.model_copy(update=different) if different else component


@simplest.register
def _(attention: SoftmaxAttentionConfig, model: GPTConfig) -> Component:
    usual_scale = attention.scale == float(attention.query_dim(model) ** -0.5)
    sees_all = attention.window is not None and attention.window >= model.context_length
    return _changed(
        attention,
        window=None if sees_all else attention.window,
        scale=None if usual_scale else attention.scale,
    )


@simplest.register
def _(attention: HeadsAttentionConfig, model: GPTConfig) -> Component:
    biases = attention.biases(model)
    told = (None, None, None) if len(set(biases)) == 1 else biases
    fills = attention.head_dim is not None and attention.head_dim * model.n_heads == model.emb_dim
    plainer = _changed(
        simplest.dispatch(SoftmaxAttentionConfig)(attention, model),
        **dict(zip(("query_bias", "key_bias", "value_bias"), told, strict=True)),
        head_dim=None if fills else attention.head_dim,
    )
    if type(attention) not in HEAD_KINDS:
        return plainer
    kinds = {1: MultiQueryAttentionConfig, model.n_heads: MultiHeadAttentionConfig}
    kind = kinds.get(attention.key_value_heads(model))
    if kind is None or kind is type(attention):
        return plainer
    return kind.model_validate(plainer.model_dump(exclude={"kind", "n_kv_heads"}))


@simplest.register
def _(attention: LatentAttentionConfig, model: GPTConfig) -> Component:
    return simplest.dispatch(SoftmaxAttentionConfig)(attention, model)


@simplest.register
def _(attention: GatedLinearAttentionConfig, model: GPTConfig) -> Component:
    sizes = {"key_head_dim": attention.key_head_dim, "value_head_dim": attention.value_head_dim}
    return _changed(
        attention,
        **{
            name: None if size is not None and size * model.n_heads == model.emb_dim else size
            for name, size in sizes.items()
        },
    )


@simplest.register
def _(position: RotaryPositionConfig, model: GPTConfig) -> Component:
    dim = model.attention.position_dim(model)
    scaling = position.scaling
    stays = isinstance(scaling, LinearScalingConfig | NTKScalingConfig) and scaling.factor == 1
    return _changed(
        position,
        fraction=1.0 if position.turned(dim) == dim else position.fraction,
        scaling=None if stays else scaling,
    )


@simplest.register
def _(feed_forward: DenseFeedForwardConfig, model: GPTConfig) -> Component:
    hidden = feed_forward.hidden(model)
    usual = hidden == feed_forward.usual_hidden(model)
    return _changed(feed_forward, hidden_dim=None if usual else hidden, hidden_multiple=None)


@simplest.register
def _(feed_forward: MixtureOfExpertsConfig, model: GPTConfig) -> Component:
    shared = feed_forward.shared
    return _changed(
        feed_forward,
        expert=simplest(feed_forward.expert, model),
        shared=None if shared is None else simplest(shared, model),
    )


@simplest.register
def _(block: TransformerBlockConfig, model: GPTConfig) -> Component:
    nowhere = isinstance(model.norm, NoNormConfig)
    return _changed(block, norm_placement="pre" if nowhere else block.norm_placement)


@simplest.register
def _(block: ParallelBlockConfig, model: GPTConfig) -> Component:
    return _changed(block, shared_norm=isinstance(model.norm, NoNormConfig) or block.shared_norm)


@simplest.register
def _(embedding: TokenEmbeddingConfig, model: GPTConfig) -> Component:
    rows = embedding.rows(model)
    return _changed(
        embedding, multiplier=embedding.factor(model), pad_to=1 if rows == model.vocab_size else rows
    )
