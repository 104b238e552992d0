"""Multi-query attention, declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gpt_zoo.config.attention.heads import HeadsAttentionConfig

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class MultiQueryAttentionConfig(HeadsAttentionConfig):
    """All query heads share one key and one value head."""

    kind: Literal["multi_query"] = "multi_query"
    module: ClassVar[str] = "gpt_zoo.layers.attention:MultiQueryAttention"
    source: ClassVar[str] = (
        'Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", arXiv:1911.02150'
    )

    def key_value_heads(self, model: GPTConfig) -> int:
        """K = 1."""
        return 1
