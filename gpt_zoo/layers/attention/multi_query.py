"""Multi-query attention."""

from gpt_zoo.layers.attention.multi_head import MultiHeadAttention


class MultiQueryAttention(MultiHeadAttention):
    """Causal attention whose query heads share one key and one value head.

    Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", arXiv:1911.02150.
    Cost: D·d·(2H + 2) weights without biases; attention adds 2·T·H·d MACs per token.

    The computation is that of multi-head attention with K = 1.
    """
