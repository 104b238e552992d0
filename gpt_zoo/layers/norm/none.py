"""No norm."""

from torch import nn

from gpt_zoo.config.norm.none import NoNormConfig


class NoNorm(nn.Identity):
    """Activations as they are.

    Source: Zhang et al. 2019, "Fixup Initialization: Residual Learning Without Normalization",
    arXiv:1901.09321.
    Cost: none.
    """

    def __init__(self, config: NoNormConfig, width: int) -> None:
        super().__init__()
