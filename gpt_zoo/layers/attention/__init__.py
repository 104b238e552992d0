"""Attention modules."""

from gpt_zoo.layers.attention.grouped_query import GroupedQueryAttention
from gpt_zoo.layers.attention.multi_head import MultiHeadAttention

__all__ = ["GroupedQueryAttention", "MultiHeadAttention"]
