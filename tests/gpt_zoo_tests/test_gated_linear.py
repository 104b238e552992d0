"""Gated linear attention against its recurrence, token by token."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gpt_zoo import GPTConfig
from gpt_zoo.layers.attention import GatedLinearAttention


def build(time: int, **fields) -> GatedLinearAttention:
    config = GPTConfig(
        vocab_size=2,
        context_length=time,
        emb_dim=12,
        n_heads=2,
        n_layers=1,
        position={"kind": "none"},
        norm={"kind": "rms_norm", "weight": False, "eps": 1e-30},
        attention={"kind": "gated_linear", "gate_rank": 3} | fields,
    )
    attention = config.attention.build(config).double()
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.normal_(std=0.7)
    return attention


def recurrence(attention: GatedLinearAttention, x: Tensor) -> Tensor:
    """Equations 3 and 4 and section 4.4 of Yang et al. 2023, one token and one head at a time."""
    heads, key_dim, value_dim = attention.n_heads, attention.key_dim, attention.value_dim
    read = torch.zeros(x.size(0), heads * value_dim, dtype=x.dtype)
    for head in range(heads):
        keys, values = (slice(head * dim, (head + 1) * dim) for dim in (key_dim, value_dim))
        state = torch.zeros(key_dim, value_dim, dtype=x.dtype)
        for t, token in enumerate(x):
            gates = attention.decay_up(attention.decay_down(token))[keys].sigmoid() ** (1 / 16)
            key, value = attention.key(token)[keys], attention.value(token)[values]
            state = gates[:, None] * state + key[:, None] * value[None, :]
            mixed = attention.query(token)[keys] / math.sqrt(key_dim) @ state
            normed = mixed / mixed.square().mean().sqrt()
            out_gate = attention.gate(token)[values]
            read[t, values] = normed * out_gate * out_gate.sigmoid()
    return attention.output(read)


@given(time=st.integers(1, 50), key_dim=st.integers(1, 7), value_dim=st.integers(2, 7))
def test_chunks_equal_the_recurrence(time: int, key_dim: int, value_dim: int) -> None:
    attention = build(time, key_head_dim=key_dim, value_head_dim=value_dim)
    x = torch.randn(time, 12, dtype=torch.float64)
    torch.testing.assert_close(attention(x[None])[0], recurrence(attention, x), rtol=1e-7, atol=1e-8)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_a_sequence_in_pieces_equals_the_whole(lengths: list[int]) -> None:
    attention = build(sum(lengths))
    x = torch.randn(2, sum(lengths), 12, dtype=torch.float64)
    cache = attention.new_cache(sum(lengths))
    pieces = [attention(piece, None, cache) for piece in x.split(lengths, dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), attention(x), rtol=1e-8, atol=1e-9)


def test_states_that_fade_at_once_neither_overflow_nor_leak() -> None:
    attention = build(64).float()
    with torch.no_grad():
        attention.decay_up.bias.fill_(-1000.0)  # gates of e^(-1000/16), held at e^-5
    x = torch.randn(1, 64, 12, requires_grad=True)
    attention(x).square().sum().backward()
    assert x.grad.isfinite().all()
