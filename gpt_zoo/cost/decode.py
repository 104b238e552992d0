"""What decoding a token costs, as a function of the tokens before it."""

from __future__ import annotations

from dataclasses import dataclass

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
        mixing = layer.attention.decode_macs(layer, context)
        total += count * (mixing + layer.feed_forward.macs(layer, 1).linear)
    return total


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
    feed_forward = layer.feed_forward
    return layer.block.params(layer) - feed_forward.params(layer) + feed_forward.params_read(layer, tokens)


def bends(config: GPTConfig) -> set[int]:
    """Context lengths between which costs of decoding are straight lines: the ends, and each full window."""
    windows = {getattr(layer.attention, "window", None) for layer, _ in config.distinct_layers}
    return {1, min(2, config.context_length), config.context_length, *filter(None, windows)}
