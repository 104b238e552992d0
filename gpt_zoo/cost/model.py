"""What a model costs, in closed form: parameters, FLOPs, the KV cache. Nothing is allocated."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from gpt_zoo.config.component import Macs
from gpt_zoo.config.gpt import GPTConfig

FLOPS_PER_MAC = 2
TRAINING_FORWARDS = 3
"""A training step costs three forward passes: the backward pass multiplies twice as many matrices."""


@dataclass(frozen=True)
class Cost:
    """The cost of a model at a sequence length and a batch size.

    Conventions: a multiply-accumulate is 2 FLOPs; only matrix multiplications count (no norms, activations,
    softmax, biases, rotations, look-ups); logits at all positions; attention in full, T x T, whatever its
    window, except where a field says otherwise.

    Args:
        context_length: T, tokens of the sequence that the FLOPs are counted for.
        batch_size: B, sequences of a training step.
        params: Unique parameters, tied ones once, buffers excluded.
        params_non_embedding: Without the token table, the position table and an untied head.
        params_active: Those that one token uses: without the experts that it is not sent to.
        flops_forward: One sequence.
        flops_forward_causal: One sequence, with the T(T+1)/2 pairs that the mask keeps.
        flops_forward_windowed: One sequence, with those of them that lie in the window of their layer.
        flops_train_per_token: 3 x forward / T, rounded down; `flops_train` rounds at the end of a run.
        flops_train_step: 3 x forward x B.
        flops_train_step_recomputed: The same where each layer forgets its inside and computes it again in the
            backward pass: 4 x forward of the layers, 3 x that of embedding and head.
        kv_cache_bytes_per_token: What decoding keeps for each further token, while no window is full:
            2 x layers x key/value heads x head size x bytes; compressed vectors where attention is latent.
        kv_cache_bytes: Of B sequences of T tokens, windows and the states of linear attention included.
    """

    context_length: int
    batch_size: int
    params: int
    params_non_embedding: int
    params_active: int
    flops_forward: int
    flops_forward_causal: int
    flops_forward_windowed: int
    flops_train_per_token: int
    flops_train_step: int
    flops_train_step_recomputed: int
    kv_cache_bytes_per_token: int
    kv_cache_bytes: int

    def flops_train(self, tokens: int) -> int:
        """Of a run of `tokens` tokens in sequences of T, rounded to a whole FLOP if the last is shorter."""
        return self._of_run(self.flops_train_step, tokens)

    def flops_train_recomputed(self, tokens: int) -> int:
        """The same where layers compute their inside again."""
        return self._of_run(self.flops_train_step_recomputed, tokens)

    def _of_run(self, step: int, tokens: int) -> int:
        return round(Fraction(step * tokens, self.batch_size * self.context_length))


def model_params(config: GPTConfig) -> tuple[int, int]:
    """All parameters, and those that are neither token table, position table nor untied head."""
    blocks = sum(count * layer.block.params(layer) for layer, count in config.distinct_layers)
    final_norm = config.norm.params(config.emb_dim) if config.final_norm else 0
    head = config.head.other_params(config)
    non_embedding = blocks + final_norm + config.embedding.other_params(config) + head
    tables = config.embedding.table_params(config) + config.position.params(config)
    if not config.tie_embeddings:
        tables += config.head.table_params(config)
    return non_embedding + tables, non_embedding


def idle_params(config: GPTConfig) -> int:
    """Parameters that a token does not use: those of the experts that it is not sent to."""
    return sum(
        count * (layer.feed_forward.params(layer) - layer.feed_forward.params_active(layer))
        for layer, count in config.distinct_layers
    )


def model_macs(config: GPTConfig, time: int) -> Macs:
    """Multiply-accumulates of the forward pass of one sequence of `time` tokens."""
    return layer_macs(config, time) + Macs(linear=outer_macs(config, time))


def outer_macs(config: GPTConfig, time: int) -> int:
    """Those of embedding and head."""
    return config.embedding.macs(config, time) + config.head.macs(config, time)


def layer_macs(config: GPTConfig, time: int) -> Macs:
    """Those of all layers."""
    total = Macs()
    for layer, count in config.distinct_layers:
        total += layer.block.macs(layer, time) * count
    return total


def cache_values(config: GPTConfig, time: int) -> int:
    """Numbers that decoding keeps of one sequence after `time` tokens."""
    return sum(count * layer.attention.cache_values(layer, time) for layer, count in config.distinct_layers)


def check_fits_context(config: GPTConfig, time: int) -> None:
    """Refuse a sequence of more tokens than the model reads.

    Raises:
        ValueError: it is longer.
    """
    if time > config.context_length:
        raise ValueError(
            f"the sequence must fit the context, got {time} tokens for a context_length of "
            f"{config.context_length}; declare context_length {time}"
        )


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
    check_fits_context(config, time)
    params, non_embedding = model_params(config)
    macs = model_macs(config, time)
    forward = FLOPS_PER_MAC * (macs.linear + macs.attention)
    train_step = TRAINING_FORWARDS * forward * batch_size
    again = forward - FLOPS_PER_MAC * outer_macs(config, time)
    per_token = sum(
        count * layer.attention.cache_values_per_token(layer) for layer, count in config.distinct_layers
    )
    return Cost(
        context_length=time,
        batch_size=batch_size,
        params=params,
        params_non_embedding=non_embedding,
        params_active=params - idle_params(config),
        flops_forward=forward,
        flops_forward_causal=FLOPS_PER_MAC * (macs.linear + macs.attention_causal),
        flops_forward_windowed=FLOPS_PER_MAC * (macs.linear + macs.windowed),
        flops_train_per_token=TRAINING_FORWARDS * forward // time,
        flops_train_step=train_step,
        flops_train_step_recomputed=train_step + again * batch_size,
        kv_cache_bytes_per_token=per_token * bytes_per_value,
        kv_cache_bytes=cache_values(config, time) * bytes_per_value * batch_size,
    )
