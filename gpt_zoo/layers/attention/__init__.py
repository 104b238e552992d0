"""Attention modules."""

from gpt_zoo.layers.attention.gated_linear import GatedLinearAttention
from gpt_zoo.layers.attention.grouped_query import GroupedQueryAttention
from gpt_zoo.layers.attention.latent import LatentAttention
from gpt_zoo.layers.attention.multi_head import MultiHeadAttention
from gpt_zoo.layers.attention.multi_query import MultiQueryAttention
from gpt_zoo.layers.attention.softmax import SoftmaxAttention

__all__ = [
    "GatedLinearAttention",
    "GroupedQueryAttention",
    "LatentAttention",
    "MultiHeadAttention",
    "MultiQueryAttention",
    "SoftmaxAttention",
]
