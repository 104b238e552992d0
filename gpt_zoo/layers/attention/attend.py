"""Causal softmax attention of given queries, keys and values: fused, and written out."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def attend_fused(
    query: Float[Tensor, "batch heads time head_dim"],
    key: Float[Tensor, "batch kv_heads time head_dim"],
    value: Float[Tensor, "batch kv_heads time head_dim"],
    drop_rate: float = 0.0,
) -> Float[Tensor, "batch heads time head_dim"]:
    """softmax(QKᵀ/√d + causal mask)·V in one kernel which never stores the T x T weights.

    Args:
        drop_rate: Probability with which an attention weight is dropped.
    """
    shared = bool(key.size(1) != query.size(1))  # a traced size is a tensor
    return F.scaled_dot_product_attention(
        query, key, value, is_causal=True, dropout_p=drop_rate, enable_gqa=shared
    )


def attend_written_out(
    query: Float[Tensor, "batch heads time head_dim"],
    key: Float[Tensor, "batch kv_heads time head_dim"],
    value: Float[Tensor, "batch kv_heads time head_dim"],
    drop_rate: float = 0.0,
) -> Float[Tensor, "batch heads time head_dim"]:
    """The same as `attend_fused`, step by step: for reading, and to test the fused one against."""
    time, head_dim = query.shape[-2:]
    group = query.size(1) // key.size(1)
    key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)  # (B, H, T, d)
    scores = query @ key.transpose(-2, -1) / math.sqrt(head_dim)  # (B, H, T, T)
    future = torch.ones(time, time, dtype=torch.bool, device=query.device).triu(diagonal=1)
    weights = scores.masked_fill(future, -math.inf).softmax(dim=-1)
    return F.dropout(weights, drop_rate) @ value  # (B, H, T, d)
