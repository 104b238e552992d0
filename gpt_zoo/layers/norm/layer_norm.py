"""Layer norm."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gpt_zoo.config.norm.layer_norm import LayerNormConfig


class LayerNorm(nn.Module):
    """(x - mean) / √(variance + eps) · scale + shift, over the last dimension.

    Source: Ba et al. 2016, "Layer Normalization", arXiv:1607.06450.
    Cost: 2·width weights; no MACs.
    """

    def __init__(self, config: LayerNormConfig, width: int) -> None:
        super().__init__()
        self.width, self.eps = width, config.eps
        self.scale = nn.Parameter(torch.ones(width)) if config.weight else None
        self.shift = nn.Parameter(torch.zeros(width)) if config.bias else None

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        if self.scale is not None:
            nn.init.ones_(self.scale)
        if self.shift is not None:
            nn.init.zeros_(self.shift)

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """Each vector of `x`, normalised."""
        return F.layer_norm(x, (self.width,), self.scale, self.shift, self.eps)
