"""The linear head."""

from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.head.linear import LinearHeadConfig


class LinearHead(nn.Linear):
    """softcap(factor · (W·projection(x) + b)), of which all but W is left out unless declared.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    Symbols: V rows, of which those of the vocabulary are returned; E width, D model width.
    Cost: V·E weights unless tied, and D·E of the projection, with as many MACs per token.

    Args:
        config: The head's own config.
        model: The model's config.
    """

    def __init__(self, config: LinearHeadConfig, model: GPTConfig) -> None:
        super().__init__(config.width(model), model.embedding.rows(model), bias=config.bias)
        self.vocab_size, self.factor, self.softcap = model.vocab_size, config.multiplier, config.softcap
        self.projection = None
        if config.dim is not None:
            self.projection = nn.Linear(model.emb_dim, config.dim, bias=False)

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch vocab_size"]:
        """The logits of the next token."""
        if self.projection is not None:
            x = self.projection(x)  # (..., E)
        logits: Tensor = super().forward(x)[..., : self.vocab_size]  # (..., V)
        if self.factor != 1:
            logits = logits * self.factor
        return logits if self.softcap is None else self.softcap * (logits / self.softcap).tanh()
