"""The gated feed-forward network, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.feed_forward.base import FeedForwardBaseConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class GatedFeedForwardConfig(FeedForwardBaseConfig):
    """An activated gate times a linear map, projected back: SwiGLU with `silu`, GEGLU with a `gelu`."""

    kind: Literal["gated"] = "gated"
    module: ClassVar[str] = "gpt_zoo.layers.feed_forward:GatedFeedForward"
    source: ClassVar[str] = 'Shazeer 2020, "GLU Variants Improve Transformer", arXiv:2002.05202'
    expansions: ClassVar[int] = 2

    bias: bool = False
    """Whether the three linear maps have a bias."""

    def hidden(self, model: GPTConfig) -> int:
        """F = 8/3·D unless declared, the weights of a plain one with 4·D, rounded up to a multiple of 8."""
        return self.hidden_dim or -(-8 * model.emb_dim // 24) * 8
