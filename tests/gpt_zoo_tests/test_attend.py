"""Softmax attention of given queries, keys and values."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gpt_zoo.layers.attention.attend import attend_fused, attend_written_out

PRIMES = st.sampled_from([1, 2, 3, 5, 7, 11, 13])


@st.composite
def queries_keys_values(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    kv_heads, group, time, head_dim = (draw(PRIMES) for _ in range(4))
    batch = draw(st.integers(1, 3))
    query = torch.randn(batch, kv_heads * group, time, head_dim, dtype=torch.float64)
    key, value = torch.randn(2, batch, kv_heads, time, head_dim, dtype=torch.float64)
    return 3 * query, key, value


def loops(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention as one would explain it: for each query, the softmax of its scores with what came before."""
    group = query.size(1) // key.size(1)
    mixed = torch.zeros_like(query)
    for b in range(query.size(0)):
        for h in range(query.size(1)):
            for t in range(query.size(2)):
                scores = [
                    math.exp(float(query[b, h, t] @ key[b, h // group, s]) / math.sqrt(query.size(3)))
                    for s in range(t + 1)
                ]
                for s, score in enumerate(scores):
                    mixed[b, h, t] += score / sum(scores) * value[b, h // group, s]
    return mixed


@given(queries_keys_values())
def test_fused_equals_written_out(tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    torch.testing.assert_close(attend_fused(*tensors), attend_written_out(*tensors), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("attend", [attend_fused, attend_written_out])
@pytest.mark.parametrize(("heads", "kv_heads"), [(3, 3), (6, 2), (5, 1)])
def test_both_equal_plain_loops(attend, heads: int, kv_heads: int) -> None:
    query = torch.randn(2, heads, 7, 5, dtype=torch.float64)
    key, value = torch.randn(2, 2, kv_heads, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(attend(query, key, value), loops(query, key, value), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("attend", [attend_fused, attend_written_out])
def test_two_tokens_by_hand(attend) -> None:
    # d = 4, so scores are halved: the second query scores 2·ln 3 / 2 = ln 3 with itself and 0 with the first,
    # hence the weights 1/4 and 3/4. The first query sees itself only, whatever it scores.
    query = torch.tensor([[[[9.0, 9, 9, 9], [2 * math.log(3), 0, 0, 0]]]], dtype=torch.float64)
    key = torch.tensor([[[[0.0, 1, 0, 0], [1, 0, 0, 0]]]], dtype=torch.float64)
    value = torch.tensor([[[[4.0, 8, 0, -4], [8, 0, 4, 4]]]], dtype=torch.float64)
    expected = torch.tensor([[[[4.0, 8, 0, -4], [7, 2, 3, 2]]]], dtype=torch.float64)
    torch.testing.assert_close(attend(query, key, value), expected)


@pytest.mark.parametrize("attend", [attend_fused, attend_written_out])
def test_equal_scores_average_all_that_came_before(attend) -> None:
    value = torch.randn(1, 1, 5, 3, dtype=torch.float64)
    zeros = torch.zeros_like(value)
    averages = value.cumsum(dim=2) / torch.arange(1, 6)[:, None]
    torch.testing.assert_close(attend(zeros, zeros, value), averages)


@given(queries_keys_values())
def test_shared_keys_and_values_equal_repeated_ones(tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    query, key, value = tensors
    copies = query.size(1) // key.size(1)
    own_keys = torch.stack([key] * copies, dim=2).flatten(1, 2)  # head h has those of group h // copies
    own_values = torch.stack([value] * copies, dim=2).flatten(1, 2)
    torch.testing.assert_close(
        attend_fused(query, key, value), attend_fused(query, own_keys, own_values), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("attend", [attend_fused, attend_written_out])
def test_dropped_weights_are_made_up_for_on_average(attend) -> None:
    # All scores and values are equal, so that a result is 1/(1 - p) times the share of weights that are kept.
    tensors = torch.zeros(1, 64, 64, 2), torch.zeros(1, 64, 64, 2), torch.ones(1, 64, 64, 2)
    mixed = attend(*tensors, drop_rate=0.25)
    # The last token of each of 64 heads averages 64 weights: 4096 draws of variance p/(1-p) = 1/3.
    assert abs(mixed[:, :, -1, 0].mean() - 1) < 5 * math.sqrt(1 / 3 / 4096)
    # The first token has one weight: it is dropped, or divided by 1 - p.
    assert {round(float(x), 4) for x in mixed[0, :, 0, 0]} == {0.0, 1.3333}
