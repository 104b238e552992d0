"""Rotary positions."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.config.position.rotary_scaling import RotarySpan
from gpt_zoo.layers.position.base import AttentionPosition


class RotaryPosition(AttentionPosition):
    """Turns pair i of the numbers of queries and keys at time t by the angle t / base^(2i/d).

    The score of a query and a key then depends on their distance alone. Pair i is made of the numbers i and
    i + d/2 (two halves, as GPT-NeoX has it), or of neighbours as in the paper. Of a head of which only a
    fraction is turned, d counts that part.

    Source: Su et al. 2021, "RoFormer", arXiv:2104.09864.
    Cost: nothing is trained; no MACs.

    Args:
        model: The model's config as the layer sees it.
        score_scale: The attention's; not used here.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, config: RotaryPositionConfig, model: GPTConfig, score_scale: float) -> None:
        super().__init__()
        self.config = config
        self.turned = config.turned(model.attention.position_dim(model))
        for name in ("cos", "sin"):
            table = torch.empty(model.context_length, self.turned // 2)
            self.register_buffer(name, table, persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Write the tables, (context_length, d/2) each."""
        device, scaling = self.cos.device, self.config.scaling
        if (
            device.type == "meta"
        ):  # holds no values, and torch takes a second to learn how it would compute them
            return
        # In the order and type of the published code, whose weights are to see the same angles.
        frequencies = 1.0 / self.config.base ** (
            torch.arange(0, self.turned, 2, device=device).float() / self.turned
        )
        amplitude = 1.0
        if scaling is not None:
            span, amplitude = RotarySpan(self.config.base, self.turned), scaling.amplitude()
            changed = [scaling.frequency(f, pair, span) for pair, f in enumerate(frequencies.tolist())]
            frequencies = torch.tensor(changed, device=device, dtype=torch.float32)
        angles = torch.arange(self.cos.size(0), device=device)[:, None].float() * frequencies  # (T, d/2)
        self.cos.copy_(angles.cos() * amplitude)
        self.sin.copy_(angles.sin() * amplitude)

    def turn(
        self, x: Float[Tensor, "batch heads time head_dim"], positions: Int[Tensor, "#batch time"]
    ) -> Float[Tensor, "batch heads time head_dim"]:
        """The first `turned` numbers of each head, turned; the rest as it is."""
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]  # (B, 1, T, d/2)
        part, rest = x[..., : self.turned], x[..., self.turned :]
        if self.config.interleaved:
            first, second = part[..., 0::2], part[..., 1::2]  # (B, H, T, d/2) each
            turned = torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1).flatten(-2)
        else:
            first, second = part.chunk(2, dim=-1)
            turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
        # The tables are float32; under autocast the result goes back to the type of x.
        turned = turned.type_as(x)
        return turned if rest.size(-1) == 0 else torch.cat((turned, rest), dim=-1)
