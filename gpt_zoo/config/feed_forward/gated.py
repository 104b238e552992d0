"""The gated feed-forward network, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat

from gpt_zoo.config.feed_forward.dense import DenseFeedForwardConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class GatedFeedForwardConfig(DenseFeedForwardConfig):
    """An activated gate times a linear map, projected back: SwiGLU with the activation `silu`, GEGLU with a
    `gelu`, ReGLU with `relu`, bilinear with `identity`."""

    kind: Literal["gated"] = "gated"
    module: ClassVar[str] = "gpt_zoo.layers.feed_forward:GatedFeedForward"
    source: ClassVar[str] = 'Shazeer 2020, "GLU Variants Improve Transformer", arXiv:2002.05202'
    expansions: ClassVar[int] = 2

    bias: bool = False
    """Whether the three linear maps have a bias."""
    limit: PositiveFloat | None = None
    """Bound of the gate from above, and of the linear map on both sides. OpenAI 2025, "gpt-oss-120b &
    gpt-oss-20b Model Card", arXiv:2508.10925."""
    linear_offset: float = 0.0
    """Added to the linear map: 1 in gpt-oss, so that an expansion of zeros passes the gate on."""

    def usual_hidden(self, model: GPTConfig) -> int:
        """F = 8/3·D, the weights of a plain one with 4·D, rounded up to a multiple of 8."""
        return -(-8 * model.emb_dim // 24) * 8
