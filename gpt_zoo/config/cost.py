"""What a model costs, in closed form: parameters, FLOPs, the KV cache. Nothing is allocated."""

from __future__ import annotations

from dataclasses import dataclass

from gpt_zoo.config.component import Macs
from gpt_zoo.config.gpt import GPTConfig

FLOPS_PER_MAC = 2
TRAINING_FORWARDS = 3
"""A training step costs three forward passes: the backward pass multiplies twice as many matrices."""


@dataclass(frozen=True)
class Cost:
    """The cost of a model at a sequence length and a batch size.

    Conventions: a multiply-accumulate is 2 FLOPs; only matrix multiplications count (no norms, activations,
    softmax, biases, rotations, look-ups); logits at all positions; attention in full, T x T, except in
    `flops_forward_causal`, which counts the T(T+1)/2 pairs that the mask keeps.

    Args:
        context_length: T, tokens of the sequence that the FLOPs are counted for.
        batch_size: B, sequences of a training step.
        params: Unique parameters, tied ones once, buffers excluded.
        params_non_embedding: Without the token table, the position table and an untied head.
        flops_forward: One sequence.
        flops_forward_causal: One sequence.
        flops_train_per_token: 3 x forward / T.
        flops_train_step: 3 x forward x B.
        kv_cache_bytes_per_token: 2 x layers x key/value heads x head size x bytes.
        kv_cache_bytes: Of B sequences of T tokens.
    """

    context_length: int
    batch_size: int
    params: int
    params_non_embedding: int
    flops_forward: int
    flops_forward_causal: int
    flops_train_per_token: int
    flops_train_step: int
    kv_cache_bytes_per_token: int
    kv_cache_bytes: int


def model_params(config: GPTConfig) -> tuple[int, int]:
    """All parameters, and those that are neither token table, position table nor untied head."""
    blocks = sum(count * layer.block.params(layer) for layer, count in config.pattern_counts())
    non_embedding = blocks + config.norm.params(config.emb_dim)
    tables = (1 if config.tie_embeddings else 2) * config.vocab_size * config.emb_dim
    return non_embedding + tables + config.position.params(config), non_embedding


def model_macs(config: GPTConfig, time: int) -> Macs:
    """Multiply-accumulates of the forward pass of one sequence of `time` tokens."""
    total = Macs(linear=time * config.emb_dim * config.vocab_size)
    for layer, count in config.pattern_counts():
        macs = layer.block.macs(layer, time)
        total += Macs(count * macs.linear, count * macs.attention, count * macs.attention_causal)
    return total


def model_cost(
    config: GPTConfig, context_length: int | None = None, batch_size: int = 1, bytes_per_value: int = 2
) -> Cost:
    """The cost of `config`.

    Args:
        context_length: T; the config's own unless given.
        batch_size: B, sequences of a training step.
        bytes_per_value: Of a number in the KV cache; 2 for bfloat16 and float16.

    Raises:
        ValueError: T or B is below 1, or T is beyond the config's context.
    """
    time = config.context_length if context_length is None else context_length
    if time < 1 or batch_size < 1:
        raise ValueError(f"context length and batch size must be at least 1, got {time} and {batch_size}")
    if time > config.context_length:
        raise ValueError(
            f"the sequence must fit the context, got {time} tokens for a context_length of "
            f"{config.context_length}; declare context_length {time}"
        )
    params, non_embedding = model_params(config)
    macs = model_macs(config, time)
    forward = FLOPS_PER_MAC * (macs.linear + macs.attention)
    cached = sum(count * layer.attention.kv_cache_values(layer) for layer, count in config.pattern_counts())
    return Cost(
        context_length=time,
        batch_size=batch_size,
        params=params,
        params_non_embedding=non_embedding,
        flops_forward=forward,
        flops_forward_causal=FLOPS_PER_MAC * (macs.linear + macs.attention_causal),
        flops_train_per_token=TRAINING_FORWARDS * forward // time,  # exact: every term has a factor T
        flops_train_step=TRAINING_FORWARDS * forward * batch_size,
        kv_cache_bytes_per_token=cached * bytes_per_value,
        kv_cache_bytes=cached * bytes_per_value * time * batch_size,
    )
