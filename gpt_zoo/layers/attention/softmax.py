"""What all modules of softmax attention share: positions, masks, and how scores become weights."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gpt_zoo.config.attention.softmax import SoftmaxAttentionConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.base import AttentionPositionConfig
from gpt_zoo.layers.attention.attend import attend_fused, attend_written_out
from gpt_zoo.layers.cache import TokenCache
from gpt_zoo.layers.flow import Flow
from gpt_zoo.layers.position.base import AttentionPosition


class SoftmaxAttention(nn.Module):
    """Turns queries and keys by their positions and mixes values by the softmax of the scores.

    Symbols: H query heads, K key/value heads, d their size, v that of a value, T time, S keys.

    Args:
        config: The attention's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: SoftmaxAttentionConfig, model: GPTConfig) -> None:
        super().__init__()
        self.drop_rate, self.window = model.drop_rate, config.window
        self.scale, self.softcap = config.score_scale(model), config.softcap
        self.sinks = nn.Parameter(torch.zeros(model.n_heads)) if config.sinks else None
        acts_here = isinstance(model.position, AttentionPositionConfig)
        position = model.position.build(model, self.scale) if acts_here else None
        assert position is None or isinstance(position, AttentionPosition)
        self.position = position
        self.attend: Callable[..., Tensor] = attend_fused

    def reset_parameters(self) -> None:
        """Sinks of zero."""
        if self.sinks is not None:
            nn.init.zeros_(self.sinks)

    def new_cache(self, capacity: int) -> TokenCache:
        """An empty cache of this layer for so many tokens."""
        return TokenCache(capacity, self.window)

    def turn(self, x: Tensor, flow: Flow) -> Tensor:
        """Queries or keys of this pass, (B, heads, T, d), as their positions turn them."""
        position = self.position
        if position is None:
            return x
        prepared = flow.once(("turn", position.key), lambda: position.prepare(flow.positions))
        return position.turn(x, prepared)

    def mask(self, query: Tensor, key: Tensor, flow: Flow) -> Tensor | None:
        """What each query sees, or what is added to its scores; None for all keys up to its own."""
        bias = self.position if self.position is not None and self.position.biases else None
        return flow.mask(key.size(-2), self.window, bias, query.dtype)

    def mix(self, query: Tensor, key: Tensor, value: Tensor, flow: Flow) -> Tensor:
        """Values, (B, K, S, v), weighed for each query, (B, H, T, d): (B, H, T, v)."""
        mask = self.mask(query, key, flow)
        drop_rate = self.drop_rate if self.training else 0.0
        if self.softcap is None and self.sinks is None:
            return self.attend(query, key, value, mask, drop_rate, self.scale)
        # No kernel bounds the scores.
        return attend_written_out(
            query, key, value, mask, drop_rate, self.scale, softcap=self.softcap, sinks=self.sinks
        )
