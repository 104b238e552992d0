"""RMS norm, declared."""

from typing import ClassVar, Literal

from gpt_zoo.config.norm.base import NormConfig


class RMSNormConfig(NormConfig):
    """Divided by the root mean square, with a learnable scale."""

    kind: Literal["rms_norm"] = "rms_norm"
    module: ClassVar[str] = "gpt_zoo.layers.norm:RMSNorm"
    source: ClassVar[str] = (
        'Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", arXiv:1910.07467'
    )

    def params(self, width: int) -> int:
        """The scale."""
        return width
