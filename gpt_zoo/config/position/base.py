"""What all kinds of position share, and the two places where one can act."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gpt_zoo.config.component import Component
from gpt_zoo.config.tape import INT64

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class PositionConfig(Component):
    """How a model knows the order of its tokens; most kinds derive from one of the two below."""

    def params(self, model: GPTConfig) -> int:
        """Parameters of a position table."""
        return 0

    def trace_turn(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Queries or keys `x`, as positions turn them."""
        return x

    def trace_bias(
        self, tape: Tape, model: GPTConfig, window: int | None, scale: float, size: int
    ) -> Made | None:
        """What is added to scores in the window, if anything is, in numbers of `size` bytes; layers share it.

        Args:
            scale: The attention's factor of the scores.
        """
        return None


class EmbeddedPositionConfig(PositionConfig):
    """A position that is added to the token embeddings; its module maps positions to vectors of emb_dim."""

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """The embeddings `x` with their positions added; a table keeps which of its rows it gave."""
        weights = self.params(model)
        made = tape.add(x)
        if weights:
            tape.learn(weights, INT64 * tape.run.time)
        return made


class AttentionPositionConfig(PositionConfig):
    """A position that acts in each attention: its module, an `AttentionPosition`, turns queries and keys, or
    adds to their scores, or both."""

    turns: ClassVar[bool] = False
    """Whether it turns queries and keys."""

    def trace_turn(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """What turning makes and keeps."""
        if self.turns:
            raise self.untold()
        return x
