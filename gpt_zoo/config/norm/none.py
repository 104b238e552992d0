"""No norm, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.norm.base import NormConfig

if TYPE_CHECKING:
    from gpt_zoo.config.tape import Made, Tape


class NoNormConfig(NormConfig):
    """Activations stay as they are."""

    kind: Literal["none"] = "none"
    module: ClassVar[str] = "gpt_zoo.layers.norm:NoNorm"
    source: ClassVar[str] = (
        'Zhang et al. 2019, "Fixup Initialization: Residual Learning Without Normalization", arXiv:1901.09321'
    )

    def params(self, width: int) -> int:
        """None."""
        return 0

    def trace(self, tape: Tape, width: int, x: Made) -> Made:
        """Nothing new."""
        return x
