"""What all kinds of position share, and the two places where one can act."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gpt_zoo.config.component import Component

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class PositionConfig(Component):
    """How a model knows the order of its tokens; most kinds derive from one of the two below."""

    def params(self, model: GPTConfig) -> int:
        """Parameters of a position table."""
        return 0


class EmbeddedPositionConfig(PositionConfig):
    """A position that is added to the token embeddings; its module maps positions to vectors of emb_dim."""


class AttentionPositionConfig(PositionConfig):
    """A position that acts in each attention: its module, an `AttentionPosition`, turns queries and keys, or
    adds to their scores, or both."""

    turns: ClassVar[bool] = False
    """Whether it turns queries and keys."""
