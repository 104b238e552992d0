"""What decoding a token costs, as a function of the tokens before it."""

from __future__ import annotations

from dataclasses import dataclass

from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.attention.gated_linear import GatedLinearAttentionConfig
from gpt_zoo.config.attention.latent import LatentAttentionConfig
from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import FLOPS_PER_MAC, model_cost


@dataclass(frozen=True)
class DecodeCost:
    """The cost of one more token for each of B sequences, computed from a cache.

    Conventions: as for `Cost`; a query is multiplied with the keys that it sees, no others.

    Args:
        context_length: n, the tokens of a sequence, the new one included.
        kv_cache_bytes: Kept of B sequences of n tokens.
        flops_per_token: Of one sequence.
        bytes_read_per_token: Weights that the step uses, once for all B, and what is kept of a sequence;
            divided by the B tokens, rounded up.
    """

    context_length: int
    kv_cache_bytes: int
    flops_per_token: int
    bytes_read_per_token: int


def decode_cost(
    config: GPTConfig, context_length: int | None = None, batch_size: int = 1, bytes_per_value: int = 2
) -> DecodeCost:
    """What the last token of `context_length` costs; the config's own unless given.

    Raises:
        ValueError: as for `model_cost`.
    """
    cost = model_cost(config, context_length, batch_size, bytes_per_value)
    weights = values_read(config, batch_size, 1) * bytes_per_value
    return DecodeCost(
        context_length=cost.context_length,
        kv_cache_bytes=cost.kv_cache_bytes,
        flops_per_token=FLOPS_PER_MAC * decode_macs(config, cost.context_length),
        bytes_read_per_token=-(-weights // batch_size) + cost.kv_cache_bytes // batch_size,
    )


def decode_macs(config: GPTConfig, context: int) -> int:
    """Multiply-accumulates of the token that makes a sequence `context` tokens long."""
    total = config.embedding.macs(config, 1) + config.head.macs(config, 1)
    for layer, count in config.distinct_layers:
        mixing = _attention_macs(layer.attention, layer, context)
        total += count * (mixing + layer.feed_forward.macs(layer, 1).linear)
    return total


def _attention_macs(attention: AttentionConfig, layer: GPTConfig, context: int) -> int:
    """Those of one layer's attention.

    A cached step computes what a sequence of n tokens has more than one of n - 1, unless the kind decodes in
    a way of its own.
    """
    if isinstance(attention, LatentAttentionConfig):
        return _latent_macs(attention, layer, context)
    if isinstance(attention, GatedLinearAttentionConfig):
        return _gated_linear_macs(attention, layer, context)
    after = attention.macs(layer, context)
    if context == 1:
        return after.linear + after.windowed
    before = attention.macs(layer, context - 1)
    return after.linear - before.linear + after.windowed - before.windowed


def _latent_macs(attention: LatentAttentionConfig, layer: GPTConfig, context: int) -> int:
    """Queries are compressed, and meet the c + r numbers that are kept of a token: H·(2c + r) for each.

    What compresses queries and expands values are the weights that otherwise expand keys and values, once.
    With sinks the keys and values of all tokens are expanded anew: c·H·(d + v) for each further one.
    """
    seen = min(context, attention.window or context)
    weights = attention.macs(layer, 1).linear
    kept, heads = attention.kv_rank, layer.n_heads
    if not attention.sinks:
        return weights + seen * heads * (2 * kept + attention.rope_head_dim)
    expanded = kept * heads * (attention.head_dim + attention.value_head_dim)
    pair = heads * (attention.query_dim(layer) + attention.value_head_dim)
    return weights + (seen - 1) * expanded + seen * pair


def _gated_linear_macs(attention: GatedLinearAttentionConfig, layer: GPTConfig, context: int) -> int:
    """A pair with itself, H·(k + v); H·k·v to add to the state, as many to read it if there is one."""
    one = attention.macs(layer, 1)
    state = attention.cache_values(layer, 1)
    return one.linear + one.attention + state * (1 if context == 1 else 2)


def values_read(config: GPTConfig, batch_size: int, time: int) -> int:
    """Weights that a forward pass of B sequences of `time` tokens reads, each once.

    Of tables of tokens and positions only rows are read; of the experts those that tokens are sent to, as
    many as are expected if they choose evenly.
    """
    tokens = batch_size * time
    total = config.embedding.other_params(config) + config.head.other_params(config)
    total += config.norm.params(config.emb_dim) if config.final_norm else 0
    total += config.head.table_params(config)
    if not config.tie_embeddings:
        total += min(tokens, config.embedding.rows(config)) * config.embedding.width(config)
    if config.position.params(config):
        total += time * config.emb_dim
    return total + sum(count * _layer_values(layer, tokens) for layer, count in config.distinct_layers)


def _layer_values(layer: GPTConfig, tokens: int) -> int:
    every, used = layer.feed_forward.params(layer), layer.feed_forward.params_active(layer)
    whole = layer.block.params(layer)
    if every == used:
        return whole
    if not isinstance(layer.feed_forward, MixtureOfExpertsConfig):  # how it chooses is not known
        return whole - every + min(every, tokens * used)
    experts, chosen = layer.feed_forward.n_experts, layer.feed_forward.n_experts_per_token
    further = expected_experts(experts, chosen, tokens) - chosen
    return whole - every + used + round((every - used) * further / (experts - chosen))


def expected_experts(experts: int, chosen: int, tokens: int) -> float:
    """E·(1 - (1 - k/E)^N): of E experts, those that N tokens use which choose k each, evenly and alone."""
    return chosen if tokens == 1 else experts * (1 - (1 - chosen / experts) ** tokens)


def bends(config: GPTConfig) -> set[int]:
    """Context lengths between which costs of decoding are straight lines: the ends, and each full window."""
    windows = {getattr(layer.attention, "window", None) for layer, _ in config.distinct_layers}
    return {1, min(2, config.context_length), config.context_length, *filter(None, windows)}
