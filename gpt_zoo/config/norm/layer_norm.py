"""Layer norm, declared."""

from typing import ClassVar, Literal

from gpt_zoo.config.norm.base import NormConfig


class LayerNormConfig(NormConfig):
    """Mean taken out, divided by the standard deviation, with learnable scale and shift."""

    kind: Literal["layer_norm"] = "layer_norm"
    module: ClassVar[str] = "gpt_zoo.layers.norm:LayerNorm"
    source: ClassVar[str] = 'Ba et al. 2016, "Layer Normalization", arXiv:1607.06450'

    def params(self, width: int) -> int:
        """Scale and shift."""
        return 2 * width
