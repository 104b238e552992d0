"""The attention modules against torch's own, and against each other."""

import pytest
import torch
from config_strategies import divisors
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gpt_zoo import GPTConfig, GroupedQueryAttention, MultiHeadAttention


def model_config(**fields) -> GPTConfig:
    return GPTConfig.model_validate(
        {"vocab_size": 2, "context_length": 17, "emb_dim": 30, "n_heads": 5, "n_layers": 1} | fields
    )


def build(config: GPTConfig) -> MultiHeadAttention:
    return config.attention.build(config).double().eval()


@given(heads=st.integers(1, 7), head_dim=st.integers(1, 7), time=st.integers(1, 17), bias=st.booleans())
def test_multi_head_equals_that_of_torch(heads: int, head_dim: int, time: int, bias: bool) -> None:
    width = heads * head_dim
    config = model_config(
        emb_dim=width, n_heads=heads, qkv_bias=bias, attention={"kind": "multi_head", "out_bias": bias}
    )
    ours = build(config)
    theirs = nn.MultiheadAttention(width, heads, bias=bias, batch_first=True).double().eval()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.out_proj.weight.copy_(ours.output.weight)
        if bias:
            theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
            theirs.out_proj.bias.copy_(ours.output.bias)
    x = torch.randn(2, time, width, dtype=torch.float64)
    future = nn.Transformer.generate_square_subsequent_mask(time, dtype=torch.float64)
    expected, _ = theirs(x, x, x, attn_mask=future, is_causal=True)
    torch.testing.assert_close(ours(x), expected, rtol=1e-10, atol=1e-12)


@given(heads=st.integers(1, 8), bias=st.booleans(), position=st.sampled_from(["learned", "rotary"]))
def test_as_many_key_value_heads_as_heads_is_multi_head(heads: int, bias: bool, position: str) -> None:
    fields = {"emb_dim": 6 * heads, "n_heads": heads, "qkv_bias": bias, "position": {"kind": position}}
    multi = build(model_config(**fields))
    grouped = build(model_config(**fields, attention={"kind": "grouped_query", "n_kv_heads": heads}))
    grouped.load_state_dict(multi.state_dict())
    x = torch.randn(3, 11, 6 * heads, dtype=torch.float64)
    assert torch.equal(grouped(x), multi(x))


@given(data=st.data(), heads=st.integers(1, 8), position=st.sampled_from(["learned", "rotary"]))
def test_grouped_query_is_multi_head_with_repeated_key_and_value_weights(
    data: st.DataObject, heads: int, position: str
) -> None:
    kv_heads, head_dim = data.draw(st.sampled_from(divisors(heads))), 6
    fields = {
        "emb_dim": head_dim * heads,
        "n_heads": heads,
        "qkv_bias": True,
        "position": {"kind": position},
    }
    grouped = build(model_config(**fields, attention={"kind": "grouped_query", "n_kv_heads": kv_heads}))
    assert isinstance(grouped, GroupedQueryAttention)
    assert grouped.key.weight.shape == (kv_heads * head_dim, heads * head_dim)
    state = grouped.state_dict()
    for name in ("key.weight", "key.bias", "value.weight", "value.bias"):
        by_head = state[name].unflatten(0, (kv_heads, head_dim))
        # Query heads h·H/K to (h+1)·H/K - 1 are the group of key/value head h.
        state[name] = torch.cat([by_head[h * kv_heads // heads] for h in range(heads)])
    multi = build(model_config(**fields))
    multi.load_state_dict(state)
    x = torch.randn(2, 7, head_dim * heads, dtype=torch.float64)
    torch.testing.assert_close(grouped(x), multi(x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("drop_rate", [0.0, 0.5])
def test_weights_are_dropped_in_training_only(drop_rate: float) -> None:
    config = model_config(drop_rate=drop_rate)
    attention = build(config)
    x = torch.randn(2, 17, 30, dtype=torch.float64)
    reference = attention(x)
    assert torch.equal(attention(x), reference)
    attention.train()
    assert torch.equal(attention(x), reference) == (drop_rate == 0)


def test_a_token_mixes_in_nothing_from_other_sequences() -> None:
    attention = build(model_config())
    x = torch.randn(3, 7, 30, dtype=torch.float64)
    torch.testing.assert_close(attention(x)[1:2], attention(x[1:2]), rtol=1e-12, atol=1e-14)
