"""Learned positions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.learned import LearnedPositionConfig


class LearnedPosition(nn.Module):
    """A trained vector for each position.

    Source: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training".
    Cost: context_length·D weights; no MACs.
    """

    def __init__(self, config: LearnedPositionConfig, model: GPTConfig) -> None:
        super().__init__()
        self.table = nn.Embedding(model.context_length, model.emb_dim)

    def forward(self, time: int) -> Float[Tensor, "time emb_dim"]:
        """The vectors of the first `time` positions."""
        vectors: Tensor = self.table(torch.arange(time, device=self.table.weight.device))
        return vectors
