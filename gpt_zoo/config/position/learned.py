"""Learned positions, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeInt

from gpt_zoo.config.position.base import EmbeddedPositionConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class LearnedPositionConfig(EmbeddedPositionConfig):
    """A trained vector for each position up to `context_length`, added to the token embeddings."""

    kind: Literal["learned"] = "learned"
    module: ClassVar[str] = "gpt_zoo.layers.position:LearnedPosition"
    source: ClassVar[str] = (
        'Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training"'
    )

    offset: NonNegativeInt = 0
    """Vectors before that of the first token, which nothing reads: 2 in Zhang et al. 2022, "OPT",
    arXiv:2205.01068, whose table keeps the places of its tokenizer's padding."""

    def params(self, model: GPTConfig) -> int:
        """One vector of the model's width a position."""
        return (model.context_length + self.offset) * model.emb_dim
