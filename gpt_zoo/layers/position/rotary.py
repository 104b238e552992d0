"""Rotary positions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.position.rotary import RotaryPositionConfig


class RotaryPosition(nn.Module):
    """Turns pair i of the dimensions of queries and keys at time t by the angle t / base^(2i/d).

    The score of a query and a key then depends on their distance alone. Pair i is made of the dimensions i
    and i + d/2 (two halves, as GPT-NeoX has it; the paper pairs neighbours).

    Source: Su et al. 2021, "RoFormer", arXiv:2104.09864.
    Cost: nothing is trained; no MACs.

    Args:
        head_dim: d, even.
        context_length: The longest sequence.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, config: RotaryPositionConfig, head_dim: int, context_length: int) -> None:
        super().__init__()
        frequencies = config.base ** (-torch.arange(0, head_dim, 2) / head_dim)  # (d/2,)
        angles = torch.arange(context_length)[:, None] * frequencies  # (T, d/2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(
        self,
        query: Float[Tensor, "batch heads time head_dim"],
        key: Float[Tensor, "batch kv_heads time head_dim"],
    ) -> tuple[Float[Tensor, "batch heads time head_dim"], Float[Tensor, "batch kv_heads time head_dim"]]:
        """Both, turned."""
        return self._turn(query), self._turn(key)

    def _turn(self, x: Tensor) -> Tensor:
        cos, sin = self.cos[: x.size(-2)], self.sin[: x.size(-2)]  # (T, d/2)
        first, second = x.chunk(2, dim=-1)  # (B, H, T, d/2) each
        # The tables are float32; under autocast the result goes back to the type of x.
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).type_as(x)
