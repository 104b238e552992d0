"""Gated linear attention, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt

from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.attention.heads import near_divisors
from gpt_zoo.config.component import BrokenRule, Macs, linear_params
from gpt_zoo.config.position.base import AttentionPositionConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class GatedLinearAttentionConfig(AttentionConfig):
    """Linear-time attention: each head keeps a k x v matrix, which fades by gates that depend on the
    token."""

    kind: Literal["gated_linear"] = "gated_linear"
    module: ClassVar[str] = "gpt_zoo.layers.attention:GatedLinearAttention"
    source: ClassVar[str] = (
        'Yang et al. 2023, "Gated Linear Attention Transformers with Hardware-Efficient Training", '
        "arXiv:2312.06635"
    )
    chunk: ClassVar[int] = 16
    """C, tokens whose pairs are multiplied out; from chunk to chunk only the matrix is passed on."""

    key_head_dim: PositiveInt | None = None
    """k, the size of a query or key; None for emb_dim / n_heads."""
    value_head_dim: PositiveInt | None = None
    """v, the size of a value; None for emb_dim / n_heads."""
    gate_rank: PositiveInt = 16
    """r, the rank of the map from a token to its gates."""
    out_bias: bool = False

    def head_dims(self, model: GPTConfig) -> tuple[int, int]:
        """k and v."""
        usual = model.emb_dim // model.n_heads
        return self.key_head_dim or usual, self.value_head_dim or usual

    def params(self, model: GPTConfig) -> int:
        """D·H·(2k + 3v) weights, the gates' D·r + r·H·k and H·k biases, one norm of v, the biases."""
        key_dim, value_dim = self.head_dims(model)
        keys, values = model.n_heads * key_dim, model.n_heads * value_dim
        return (
            2 * linear_params(model.emb_dim, keys, model.qkv_bias)
            + linear_params(model.emb_dim, values, model.qkv_bias)
            + linear_params(model.emb_dim, values, bias=False)
            + linear_params(model.emb_dim, self.gate_rank, bias=False)
            + linear_params(self.gate_rank, keys, bias=True)
            + model.norm.params(value_dim)
            + linear_params(values, model.emb_dim, self.out_bias)
        )

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """One a weight and token; within a chunk k + v a head and pair; between chunks 2·k·v a head and
        token.

        The first chunk reads no earlier matrix, and the last one leaves none behind.
        """
        key_dim, value_dim = self.head_dims(model)
        keys, values = model.n_heads * key_dim, model.n_heads * value_dim
        weights = model.emb_dim * (2 * keys + 3 * values + self.gate_rank) + self.gate_rank * keys
        full, rest = divmod(time, self.chunk)
        lengths = [self.chunk] * full + [rest] * bool(rest)
        passed = (time - lengths[0]) + (time - lengths[-1])
        state = passed * model.n_heads * key_dim * value_dim
        return Macs(
            linear=time * weights,
            attention=(keys + values) * sum(length**2 for length in lengths) + state,
            attention_causal=(keys + values) * sum(n * (n + 1) // 2 for n in lengths) + state,
        )

    def cache_values_per_token(self, model: GPTConfig) -> int:
        """Nothing grows."""
        return 0

    def cache_values(self, model: GPTConfig, time: int) -> int:
        """H matrices of k x v, whatever the length."""
        key_dim, value_dim = self.head_dims(model)
        return model.n_heads * key_dim * value_dim

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """Heads fill the width unless their sizes are given; gates know the order, positions cannot act."""
        if None in (self.key_head_dim, self.value_head_dim) and model.emb_dim % model.n_heads:
            yield BrokenRule(
                ("n_heads",),
                f"`emb_dim` must be a multiple of `n_heads`, got {model.emb_dim} and {model.n_heads}; try "
                f"n_heads {' or '.join(near_divisors(model.emb_dim, model.n_heads))}, or give "
                "attention.key_head_dim and attention.value_head_dim",
            )
        if isinstance(model.position, AttentionPositionConfig):
            yield BrokenRule(
                ("position",),
                f"{model.position.kind} positions act on the scores of a softmax, which gated_linear "
                "attention does not have; give its layers position: {kind: none}",
            )
