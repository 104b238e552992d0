"""Multi-head attention, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.attention.heads import HeadsAttentionConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class MultiHeadAttentionConfig(HeadsAttentionConfig):
    """Every query head has a key and a value head of its own."""

    kind: Literal["multi_head"] = "multi_head"
    module: ClassVar[str] = "gpt_zoo.layers.attention:MultiHeadAttention"
    source: ClassVar[str] = 'Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762'

    def key_value_heads(self, model: GPTConfig) -> int:
        """K = H."""
        return model.n_heads
