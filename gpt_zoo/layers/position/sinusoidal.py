"""Sinusoidal positions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.sinusoidal import SinusoidalPositionConfig


class SinusoidalPosition(nn.Module):
    """Sines and cosines of the position t: sin(t / base^(2i/D)) at dimension 2i, the cosine at 2i + 1.

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.5, arXiv:1706.03762.
    Cost: nothing is trained; no MACs.
    """

    table: Tensor

    def __init__(self, config: SinusoidalPositionConfig, model: GPTConfig) -> None:
        super().__init__()
        pairs = torch.arange(0, model.emb_dim, 2)
        frequencies = config.base ** (-pairs / model.emb_dim)  # (ceil(D/2),)
        angles = torch.arange(model.context_length)[:, None] * frequencies  # (T, ceil(D/2))
        table = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)[:, : model.emb_dim]  # (T, D)
        self.register_buffer("table", table, persistent=False)

    def forward(self, time: int) -> Float[Tensor, "time emb_dim"]:
        """The vectors of the first `time` positions."""
        return self.table[:time]
