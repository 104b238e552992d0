"""What all softmax attention kinds share: heads, their projections, their cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpt_zoo.config.component import BrokenRule, Component, Macs, linear_params

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class AttentionConfig(Component):
    """Softmax attention of H query heads over K key/value heads of size d."""

    out_bias: bool = True
    """Whether the output projection has a bias. The query, key and value projections have `qkv_bias`."""

    def key_value_heads(self, model: GPTConfig) -> int:
        """K, the number of key/value heads."""
        raise NotImplementedError

    def head_dim(self, model: GPTConfig) -> int:
        """d, the size of a head."""
        return model.emb_dim // model.n_heads

    def params(self, model: GPTConfig) -> int:
        """D·d·(2H + 2K) weights, and the biases."""
        queries = model.n_heads * self.head_dim(model)
        keys = self.key_value_heads(model) * self.head_dim(model)
        return (
            linear_params(model.emb_dim, queries, model.qkv_bias)
            + 2 * linear_params(model.emb_dim, keys, model.qkv_bias)
            + linear_params(queries, model.emb_dim, self.out_bias)
        )

    def macs(self, model: GPTConfig, time: int) -> Macs:
        """T·D·d·(2H + 2K) for the projections; H·d for each pair's score, and again for its value."""
        queries = model.n_heads * self.head_dim(model)
        keys = self.key_value_heads(model) * self.head_dim(model)
        return Macs(
            linear=time * model.emb_dim * (2 * queries + 2 * keys),
            attention=2 * queries * time * time,
            attention_causal=2 * queries * (time * (time + 1) // 2),
        )

    def kv_cache_values(self, model: GPTConfig) -> int:
        """Numbers that decoding keeps per token: 2·K·d."""
        return 2 * self.key_value_heads(model) * self.head_dim(model)

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """The width must be cut into equal heads."""
        if model.emb_dim % model.n_heads:
            below = model.emb_dim // model.n_heads * model.n_heads
            widths = [str(width) for width in (below, below + model.n_heads) if width]
            yield BrokenRule(
                ("n_heads",),
                f"`emb_dim` must be a multiple of `n_heads`, got {model.emb_dim} and {model.n_heads}; "
                f"try n_heads {' or '.join(near_divisors(model.emb_dim, model.n_heads))}, "
                f"or emb_dim {' or '.join(widths)}",
            )


def near_divisors(number: int, wanted: int) -> list[str]:
    """The divisors of `number` next to `wanted`, below and above, as text."""
    reach = 10_000  # enough for any sensible width; a mistyped one must not stall the error
    start = min(wanted, number)
    below = next((n for n in range(start, max(0, start - reach), -1) if number % n == 0), 1)
    above = next((n for n in range(start + 1, min(number, start + reach) + 1) if number % n == 0), None)
    return [str(n) for n in (below, above) if n is not None]
