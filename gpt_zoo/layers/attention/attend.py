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
    """The same step by step: for scores that no kernel bounds, for short contexts, which it is faster with on
    some devices (`gpt_zoo.measure.attention`), for reading, and to test the fused one against.

    Args:
        softcap: c, which bounds the scores: c·tanh(score / c).
        sinks: A score for each head that takes part in the softmax and has no value.
    """
    batch, heads, time, _ = query.shape
    kv_heads, keys = key.size(1), key.size(2)
    scale = scale or 1 / math.sqrt(query.size(-1))
    # Heads that share a key are rows of one product, so that no key is copied.
    query = query.reshape(batch * kv_heads, -1, query.size(-1))  # (B·K, H/K·T, d)
    key, value = key.flatten(0, 1), value.flatten(0, 1)  # (B·K, S, d)
    if mask is None and softcap is None:  # the product adds the mask as it writes the scores
        unseen = _unseen(time, keys, query).repeat(heads // kv_heads, 1)
        scores = torch.baddbmm(unseen, query, key.transpose(1, 2), alpha=scale)
        scores = scores.view(batch, heads, time, keys)
    else:
        scores = (torch.bmm(query, key.transpose(1, 2)) * scale).view(batch, heads, time, keys)
        if softcap is not None:
            scores = softcap * (scores / softcap).tanh()
        mask = _unseen(time, keys, scores) if mask is None else mask
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    if sinks is not None:
        column = sinks.view(1, -1, 1, 1).expand(batch, -1, time, 1).to(scores.dtype)
        scores = torch.cat((scores, column), dim=-1)  # (B, H, T, S + 1)
    weights = scores.softmax(dim=-1)[..., :keys]
    if drop_rate:
        weights = F.dropout(weights, drop_rate)
    return torch.bmm(weights.reshape(*query.shape[:2], keys), value).view(batch, heads, time, -1)


def _unseen(time: int, keys: int, like: Tensor) -> Tensor:
    """What hides later keys from each query, (T, S)."""
    hidden = torch.full((time, keys), -math.inf, dtype=like.dtype, device=like.device)
    return hidden.triu(1 + keys - time)
