"""The token embedding."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gpt_zoo.config.embedding.token import TokenEmbeddingConfig
from gpt_zoo.config.gpt import GPTConfig


class TokenEmbedding(nn.Embedding):
    """norm(factor · projection(table[id])), of which all but the table is left out unless declared.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; the projection from
        Lan et al. 2019, "ALBERT", arXiv:1909.11942.
    Symbols: V rows, E width of the table, D model width.
    Cost: V·E weights, and E·D of the projection, with as many MACs per token.

    Args:
        config: The embedding's own config.
        model: The model's config.
    """

    def __init__(self, config: TokenEmbeddingConfig, model: GPTConfig) -> None:
        rows, width = config.rows(model), config.width(model)
        super().__init__(rows, width, _weight=torch.empty(rows, width))  # the model draws it: torch need not
        self.factor = config.factor(model)
        self.projection = None
        if config.dim is not None:
            self.projection = nn.Linear(config.dim, model.emb_dim, bias=False)
        self.norm = model.norm.build(model.emb_dim) if config.norm else None

    def forward(self, ids: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time emb_dim"]:
        """The vectors of the tokens."""
        x: Tensor = super().forward(ids)  # (B, T, E)
        if self.projection is not None:
            x = self.projection(x)  # (B, T, D)
        if self.factor != 1:
            x = x * self.factor
        return x if self.norm is None else self.norm(x)
