"""Sinusoidal positions, declared."""

from typing import ClassVar, Literal

from pydantic import PositiveFloat

from gpt_zoo.config.position.base import EmbeddedPositionConfig


class SinusoidalPositionConfig(EmbeddedPositionConfig):
    """Fixed sines and cosines of the position, added to the token embeddings; nothing is trained."""

    kind: Literal["sinusoidal"] = "sinusoidal"
    module: ClassVar[str] = "gpt_zoo.layers.position:SinusoidalPosition"
    source: ClassVar[str] = 'Vaswani et al. 2017, "Attention Is All You Need", section 3.5, arXiv:1706.03762'

    base: PositiveFloat = 10_000.0
    """The longest wavelength is 2π times this many tokens."""
