"""ALiBi, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat

from gpt_zoo.config.position.base import AttentionPositionConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class AlibiPositionConfig(AttentionPositionConfig):
    """Scores fall in proportion to the distance of query and key, at a fixed slope for each head."""

    kind: Literal["alibi"] = "alibi"
    module: ClassVar[str] = "gpt_zoo.layers.position:AlibiPosition"
    source: ClassVar[str] = (
        'Press et al. 2021, "Train Short, Test Long: Attention with Linear Biases", arXiv:2108.12409'
    )

    max_bias: PositiveFloat = 8.0
    """The slopes of H heads are 2^(-max_bias·h/H) for h = 1..H, if H is a power of 2."""
    scaled: bool = False
    """Whether the attention's scale multiplies the biases as it does the scores. Almazrouei et al. 2023,
    "The Falcon Series", arXiv:2311.16867."""
    rounded: bool = False
    """Whether slopes, and what they give at each position, are rounded to bfloat16, as in the code that was
    published with Falcon. Up to 256 tokens it matters only where heads are not 2, 4 or 8."""

    def slopes(self, n_heads: int) -> list[float]:
        """What is taken off a head's scores for each token of distance.

        Heads beyond a power of 2 take every other slope of the next one.
        """
        whole = 1 << (n_heads.bit_length() - 1)
        slopes = [2 ** (-self.max_bias * head / whole) for head in range(1, whole + 1)]
        between = [2 ** (-self.max_bias * head / (2 * whole)) for head in range(1, 2 * whole + 1, 2)]
        return slopes + between[: n_heads - whole]

    def trace_bias(self, tape: Tape, model: GPTConfig, window: int | None, scale: float, size: int) -> Made:
        """A number for each head and pair, the same for all layers that have its window."""
        key = ("bias", self, model.n_heads, window, scale if self.scaled else 1.0, size)
        return tape.once(key, model.n_heads * tape.run.time**2, size)
