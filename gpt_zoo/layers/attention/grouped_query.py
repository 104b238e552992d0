"""Grouped-query attention."""

from gpt_zoo.layers.attention.multi_head import MultiHeadAttention


class GroupedQueryAttention(MultiHeadAttention):
    """Causal attention whose query heads share key/value heads, in groups of H / K neighbours.

    Source: Ainslie et al. 2023, "GQA", arXiv:2305.13245.
    Symbols: H query heads, K key/value heads, d head size, D model width, T time.
    Cost: D·d·(2H + 2K) weights without biases; attention adds 2·T·H·d MACs per token.

    The computation is that of multi-head attention, which takes K from the config: only the config differs.
    """
