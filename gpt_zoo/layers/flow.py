"""What the layers of one forward pass know beside the residual stream: places of tokens, masks, the cache."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Made = TypeVar("Made")


class ScoreBias(Protocol):
    """A position that adds to the scores of attention: see `AttentionPosition`."""

    @property
    def key(self) -> Hashable:
        """What the biases depend on."""

    def bias(self, query_positions: Tensor, key_positions: Tensor) -> Tensor | None:
        """What is added to the scores, (batch or 1, heads, time, keys), or None."""


@dataclass
class Flow:
    """One forward pass through the layers.

    Args:
        positions: Of the tokens of this pass, counted from each sequence's first real token.
        key_positions: The same of all tokens so far, those in the cache first.
        real: Which of all tokens so far are no padding; None if all are.
        embedded: What the first layer reads, for those that mix it in.
        shared_values: Of the first layer that gives some, for those that mix them in.
    """

    positions: Int[Tensor, "batch time"]
    key_positions: Int[Tensor, "batch keys"]
    real: Bool[Tensor, "batch keys"] | None = None
    embedded: Float[Tensor, "batch time emb_dim"] | None = None
    shared_values: Float[Tensor, "batch kv_heads time head_dim"] | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict)

    @classmethod
    def over(cls, x: Tensor) -> Flow:
        """That of whole sequences without padding, (batch, time, ...)."""
        positions = torch.arange(x.size(1), device=x.device)[None]
        return cls(positions, positions)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, which is asked only the first time that `key` occurs in this pass."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    def mask(
        self, keys: int, window: int | None, bias: ScoreBias | None, dtype: torch.dtype
    ) -> Tensor | None:
        """Which of the last `keys` tokens each query sees, or what is added to its scores.

        Layers that are alike share it. None stands for all tokens up to the query's own.

        Args:
            window: Tokens that a query sees, itself included.
            bias: Adds to the scores.
            dtype: Of the scores.

        Returns:
            Booleans or numbers, (batch or 1, heads or 1, time, keys).
        """
        time = self.positions.size(1)
        all_before = bias is None and self.real is None and (window is None or keys <= window)
        if all_before and (time == 1 or keys == time):
            return None
        key = (keys, window, None if bias is None else bias.key, dtype)
        return self.once(key, lambda: self._make_mask(keys, window, bias, dtype))

    def _make_mask(self, keys: int, window: int | None, bias: ScoreBias | None, dtype: torch.dtype) -> Tensor:
        key_positions = self.key_positions[:, -keys:]
        distance = self.positions[:, :, None] - key_positions[:, None, :]  # (B, T, S)
        visible = distance >= 0
        if window is not None:
            visible = visible & (distance < window)
        if self.real is not None:
            # Padding sees itself, so that its softmax has something to weigh: nan would spread from there.
            time = self.positions.size(1)
            itself = torch.eye(time, dtype=torch.bool, device=distance.device)
            itself = torch.nn.functional.pad(itself, (keys - time, 0))
            visible = (visible & self.real[:, None, -keys:]) | itself
        visible = visible[:, None]  # (B, 1, T, S)
        added = None if bias is None else bias.bias(self.positions, key_positions)
        if added is None:
            return visible
        return added.to(dtype).masked_fill(~visible, -torch.inf)
