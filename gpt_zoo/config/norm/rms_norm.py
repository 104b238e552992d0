"""RMS norm, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat

from gpt_zoo.config.component import BrokenRule
from gpt_zoo.config.norm.base import NormConfig
from gpt_zoo.config.tape import FLOAT32

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class RMSNormConfig(NormConfig):
    """Divided by the root mean square, with a learnable scale."""

    kind: Literal["rms_norm"] = "rms_norm"
    module: ClassVar[str] = "gpt_zoo.layers.norm:RMSNorm"
    source: ClassVar[str] = (
        'Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", arXiv:1910.07467'
    )

    eps: PositiveFloat = 1e-5
    """Added to the mean of the squares, so that zeros divide by no zero."""
    weight: bool = True
    """Whether there is a scale."""
    unit_offset: bool = False
    """Whether the scale is what is learned plus 1, so that weight decay pulls it to 1. Gemma Team 2024,
    "Gemma", arXiv:2403.08295."""

    def params(self, width: int) -> int:
        """The scale, if any."""
        return self.weight * width

    def trace(self, tape: Tape, width: int, x: Made) -> Made:
        """Its argument in float32 and a root of each vector; on the CPU also what is scaled, since no kernel
        does all at once."""
        root = FLOAT32 * (x.numbers // width)
        if tape.run.cuda and not self.unit_offset:
            return tape.make(x.numbers, x.size, x, keeps=(x, root), weights=self.params(width))
        made = exact = x if x.size == FLOAT32 else tape.copy(x, FLOAT32)
        made = tape.make(x.numbers, FLOAT32, exact, keeps=(exact, root), extra=2 * FLOAT32 * x.numbers)
        if self.weight:
            scale = (FLOAT32 * width,) if self.unit_offset else ()
            made = tape.make(x.numbers, FLOAT32, made, keeps=(made, *scale), weights=width)
        return made if x.size == FLOAT32 else tape.copy(made, x.size)

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """An offset needs a scale."""
        if self.unit_offset and not self.weight:
            yield BrokenRule(
                ("norm", "unit_offset"),
                "`unit_offset` is added to a scale, got weight false and unit_offset true; "
                "try unit_offset false",
            )
