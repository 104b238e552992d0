"""Layer norm, declared."""

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


class LayerNormConfig(NormConfig):
    """Mean taken out, divided by the standard deviation, with learnable scale and shift."""

    kind: Literal["layer_norm"] = "layer_norm"
    module: ClassVar[str] = "gpt_zoo.layers.norm:LayerNorm"
    source: ClassVar[str] = 'Ba et al. 2016, "Layer Normalization", arXiv:1607.06450'

    eps: PositiveFloat = 1e-5
    """Added to the variance, so that a constant input divides by no zero."""
    weight: bool = True
    """Whether there is a scale. Without scale and shift: Groeneveld et al. 2024, "OLMo", arXiv:2402.00838."""
    bias: bool = True
    """Whether there is a shift."""

    def params(self, width: int) -> int:
        """Scale and shift, if any."""
        return (self.weight + self.bias) * width

    def trace(self, tape: Tape, width: int, x: Made) -> Made:
        """Its argument, and a mean and a deviation of each vector: as exact as the scale, if there is one."""
        exact = max(x.size, tape.run.size) if self.weight else x.size
        statistics = 2 * (x.numbers // width) * (FLOAT32 if tape.run.cuda else exact)
        return tape.make(x.numbers, x.size, x, keeps=(x, statistics), weights=self.params(width))

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """A shift comes with a scale."""
        if self.bias and not self.weight:
            yield BrokenRule(
                ("norm", "bias"),
                "a layer norm with a shift has a scale too, got weight false and bias true; try bias false",
            )
