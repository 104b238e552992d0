"""Learned positions."""

import torch
from jaxtyping import Float, Int
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
        self.offset = config.offset
        rows = model.context_length + config.offset
        # The model draws it: torch need not.
        self.table = nn.Embedding(rows, model.emb_dim, _weight=torch.empty(rows, model.emb_dim))

    def forward(self, positions: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time emb_dim"]:
        """The vectors of the positions."""
        vectors: Tensor = self.table(positions + self.offset)
        return vectors
