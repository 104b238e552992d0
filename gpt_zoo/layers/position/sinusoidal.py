"""Sinusoidal positions."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.sinusoidal import SinusoidalPositionConfig


class SinusoidalPosition(nn.Module):
    """Sines and cosines of the position t: sin(t / base^(2i/D)) at dimension 2i, the cosine at 2i + 1.

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.5, arXiv:1706.03762.
    Cost: nothing is trained; no MACs.
    """

    def __init__(self, config: SinusoidalPositionConfig, model: GPTConfig) -> None:
        super().__init__()
        self.base, self.width = config.base, model.emb_dim

    def forward(self, positions: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time emb_dim"]:
        """The vectors of the positions."""
        pairs = torch.arange(0, self.width, 2, device=positions.device)
        angles = positions[..., None] * self.base ** (-pairs / self.width)  # (B, T, ceil(D/2))
        vectors = torch.stack((angles.sin(), angles.cos()), dim=-1)  # (B, T, ceil(D/2), 2)
        return vectors.flatten(-2)[..., : self.width]
