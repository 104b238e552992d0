"""ALiBi."""

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

    slopes: Tensor

    def __init__(self, config: AlibiPositionConfig, model: GPTConfig, score_scale: float) -> None:
        super().__init__()
        self.declared, self.rounded = config.slopes(model.n_heads), config.rounded
        self.factor = score_scale if config.scaled else 1.0
        self.register_buffer("slopes", torch.empty(model.n_heads), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Write the slopes into their table."""
        self.slopes.copy_(torch.tensor(self.declared))

    def bias(
        self, query_positions: Int[Tensor, "batch time"], key_positions: Int[Tensor, "batch keys"]
    ) -> Float[Tensor, "batch heads time keys"] | None:
        """-slope · distance."""
        query, key = (
            query_positions[:, None, :, None],
            key_positions[:, None, None, :],
        )  # (B, 1, T or 1, S or 1)
        slopes = self.slopes[:, None, None]
        if not self.rounded:
            return -self.factor * slopes * (query - key)  # (B, H, T, S)
        slopes = slopes.bfloat16()
        return self.factor * ((slopes * key).float() - (slopes * query).float())
