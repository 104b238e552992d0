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

    table: Tensor

    def __init__(self, config: SinusoidalPositionConfig, model: GPTConfig) -> None:
        super().__init__()
        self.base = config.base
        self.register_buffer("table", torch.empty(model.context_length, model.emb_dim), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Write the table, (context_length, D)."""
        if self.table.is_meta:  # holds no values, and torch takes a second to learn how it would compute them
            return
        time, width = self.table.shape
        pairs = torch.arange(0, width, 2, device=self.table.device)
        frequencies = self.base ** (-pairs / width)  # (ceil(D/2),)
        angles = torch.arange(time, device=self.table.device)[:, None] * frequencies  # (T, ceil(D/2))
        self.table.copy_(torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)[:, :width])

    def forward(self, positions: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time emb_dim"]:
        """The vectors of the positions."""
        return self.table[positions]
