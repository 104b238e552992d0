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
        self.width, self.eps = width, config.eps
        self.offset = 1.0 if config.unit_offset else 0.0
        self.scale = nn.Parameter(torch.full((width,), 1.0 - self.offset)) if config.weight else None

    def reset_parameters(self) -> None:
        """A scale of ones, less the offset."""
        if self.scale is not None:
            nn.init.constant_(self.scale, 1.0 - self.offset)

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """Each vector of `x`, normalised."""
        if self.scale is None or not self.offset:
            return F.rms_norm(x, (self.width,), self.scale, self.eps)
        # 1 plus a small number has few digits of it left in bfloat16.
        dtype = torch.promote_types(x.dtype, torch.float32)
        scale = self.scale.to(dtype) + self.offset
        return F.rms_norm(x.to(dtype), (self.width,), scale, self.eps).type_as(x)
