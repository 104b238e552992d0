"""ALiBi."""

from collections.abc import Hashable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.alibi import AlibiPositionConfig
from gpt_zoo.layers.position.base import AttentionPosition


class AlibiPosition(AttentionPosition):
    """Takes slope_h · distance off the score of head h.

    Source: Press et al. 2021, "Train Short, Test Long: Attention with Linear Biases", arXiv:2108.12409.
    Cost: nothing is trained; no MACs.

    Args:
        model: The model's config as the layer sees it.
        score_scale: The attention's, which multiplies the biases too if they are `scaled`.
    """

    def __init__(self, config: AlibiPositionConfig, model: GPTConfig, score_scale: float) -> None:
        super().__init__()
        self.slopes, self.rounded = config.slopes(model.n_heads), config.rounded
        self.factor = score_scale if config.scaled else 1.0

    @property
    def key(self) -> Hashable:
        """The slopes, and what becomes of them."""
        return tuple(self.slopes), self.rounded, self.factor

    def bias(
        self, query_positions: Int[Tensor, "batch time"], key_positions: Int[Tensor, "batch keys"]
    ) -> Float[Tensor, "batch heads time keys"] | None:
        """-slope · distance."""
        query, key = query_positions[:, None, :, None], key_positions[:, None, None, :]
        slopes = torch.tensor(self.slopes, device=query.device, dtype=torch.float32)[:, None, None]
        if not self.rounded:
            return -self.factor * slopes * (query - key)  # (B, H, T, S)
        slopes = slopes.bfloat16()
        return self.factor * ((slopes * key).float() - (slopes * query).float())
