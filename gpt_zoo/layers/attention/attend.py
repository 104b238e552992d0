"""Causal softmax attention of given queries, keys and values: fused, and written out."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

Mask = Bool[Tensor, "#batch #heads #time keys"] | Float[Tensor, "#batch #heads #time keys"]
"""True where a query sees a key, or what is added to the scores; None for all keys up to the query's own."""


def attend_fused(
    query: Float[Tensor, "batch heads time head_dim"],
    key: Float[Tensor, "batch kv_heads keys head_dim"],
    value: Float[Tensor, "batch kv_heads keys value_dim"],
    mask: Mask | None = None,
    drop_rate: float = 0.0,
    scale: float | None = None,
) -> Float[Tensor, "batch heads time value_dim"]:
    """softmax(scale·QKᵀ + mask)·V in one kernel which never stores the T x T weights.

    Args:
        mask: None for all keys up to the query's own; then there are as many keys as queries, or one query.
        drop_rate: Probability with which an attention weight is dropped.
        scale: 1/√d unless given.
    """
    shared = bool(key.size(1) != query.size(1))  # a traced size is a tensor
    causal = mask is None and bool(query.size(2) > 1)
    return F.scaled_dot_product_attention(
        query, key, value, mask, drop_rate, is_causal=causal, scale=scale, enable_gqa=shared
    )


def attend_written_out(
    query: Float[Tensor, "batch heads time head_dim"],
    key: Float[Tensor, "batch kv_heads keys head_dim"],
    value: Float[Tensor, "batch kv_heads keys value_dim"],
    mask: Mask | None = None,
    drop_rate: float = 0.0,
    scale: float | None = None,
    softcap: float | None = None,
    sinks: Float[Tensor, " heads"] | None = None,
) -> Float[Tensor, "batch heads time value_dim"]:
    """The same step by step: for scores that no kernel bounds, for reading, and to test the fused one
    against.

    Args:
        softcap: c, which bounds the scores: c·tanh(score / c).
        sinks: A score for each head that takes part in the softmax and has no value.
    """
    time, keys = query.size(2), key.size(2)
    group = query.size(1) // key.size(1)
    key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)  # (B, H, S, d)
    scores = query @ key.transpose(-2, -1) * (scale or 1 / math.sqrt(query.size(-1)))  # (B, H, T, S)
    if softcap is not None:
        scores = softcap * (scores / softcap).tanh()
    if mask is None:
        mask = torch.ones(time, keys, dtype=torch.bool, device=query.device).tril(keys - time)
    scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    if sinks is not None:
        column = sinks.view(1, -1, 1, 1).expand(scores.size(0), -1, time, 1).to(scores.dtype)
        scores = torch.cat((scores, column), dim=-1)  # (B, H, T, S + 1)
    weights = scores.softmax(dim=-1)[..., :keys]
    return F.dropout(weights, drop_rate) @ value  # (B, H, T, v)
