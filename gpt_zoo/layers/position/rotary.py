"""Rotary positions."""

from collections.abc import Hashable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.config.position.rotary_scaling import RotarySpan
from gpt_zoo.layers.position.base import AttentionPosition

Angles = tuple[Float[Tensor, "#batch 1 time half"], Float[Tensor, "#batch 1 time half"]]
"""Cosine and sine of the angle of each pair at each position."""


class RotaryPosition(AttentionPosition):
    """Turns pair i of the numbers of queries and keys at time t by the angle t / base^(2i/d).

    The score of a query and a key then depends on their distance alone. Pair i is made of the numbers i and
    i + d/2 (two halves, as GPT-NeoX has it), or of neighbours as in the paper. Of a head of which only a
    fraction is turned, d counts that part.

    Source: Su et al. 2021, "RoFormer", arXiv:2104.09864.
    Cost: nothing is trained; no MACs. Angles are computed in each forward, once for all layers.

    Args:
        model: The model's config as the layer sees it.
        score_scale: The attention's; not used here.
    """

    def __init__(self, config: RotaryPositionConfig, model: GPTConfig, score_scale: float) -> None:
        super().__init__()
        self.config = config
        self._declared = config.model_dump_json()  # text, of which a compiled graph knows the hash
        self.turned = config.turned(model.attention.position_dim(model))
        # Numbers and no buffer: a model in bfloat16 would round them, and turn far tokens by wrong angles.
        self.frequencies = self._frequencies()
        self.amplitude = 1.0 if config.scaling is None else config.scaling.amplitude()

    def _frequencies(self) -> list[float]:
        """The angle of each pair from token to token, in radians."""
        # In the order and type of the published code, whose weights are to see the same angles.
        pairs = torch.arange(0, self.turned, 2, device="cpu").float() / self.turned
        frequencies: list[float] = (1.0 / self.config.base**pairs).tolist()
        if self.config.scaling is None:
            return frequencies
        span = RotarySpan(self.config.base, self.turned)
        return [self.config.scaling.frequency(f, pair, span) for pair, f in enumerate(frequencies)]

    @property
    def key(self) -> Hashable:
        """Its config, and how much it turns."""
        return self._declared, self.turned

    def prepare(self, positions: Int[Tensor, "#batch time"]) -> Angles:
        """Cosines and sines, in float32."""
        frequencies = torch.tensor(self.frequencies, device=positions.device, dtype=torch.float32)
        angles = (positions[..., None].float() * frequencies)[:, None]  # (B, 1, T, d/2)
        return angles.cos() * self.amplitude, angles.sin() * self.amplitude

    def turn(
        self, x: Float[Tensor, "batch heads time head_dim"], prepared: Angles
    ) -> Float[Tensor, "batch heads time head_dim"]:
        """The first `turned` numbers of each head, turned; the rest as it is."""
        cos, sin = prepared
        part, rest = x[..., : self.turned], x[..., self.turned :]
        if self.config.interleaved:
            first, second = part[..., 0::2], part[..., 1::2]  # (B, H, T, d/2) each
            pairs = torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1)
            turned = pairs.flatten(-2)
        else:
            first, second = part.chunk(2, dim=-1)
            turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
        turned = turned.type_as(x)  # the angles are float32, and so is what they turn
        return turned if rest.size(-1) == 0 else torch.cat((turned, rest), dim=-1)
