"""RMS norm."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gpt_zoo.config.norm.rms_norm import RMSNormConfig


class RMSNorm(nn.Module):
    """x / √(mean(x²) + eps) · scale, over the last dimension.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", arXiv:1910.07467.
    Cost: width weights; no MACs.
    """

    def __init__(self, config: RMSNormConfig, width: int) -> None:
        super().__init__()
        self.eps = config.eps
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """Each vector of `x`, normalised."""
        return F.rms_norm(x, self.scale.shape, self.scale, self.eps)
