import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_probes import random_ids, randomized
from torch import Tensor

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.layers.position import LearnedPosition, RotaryPosition, SinusoidalPosition


def model_config(kind: str, **position) -> GPTConfig:
    return GPTConfig(
        vocab_size=11,
        context_length=64,
        emb_dim=10,
        n_heads=1,
        n_layers=1,
        position={"kind": kind} | position,
    )


def rotary(head_dim: int, length: int, base: float = 10_000.0) -> RotaryPosition:
    return RotaryPosition(RotaryPositionConfig(base=base), head_dim, length)


def turned(position: RotaryPosition, vector: Tensor, time: int) -> Tensor:
    """`vector` as the query at each of `time` positions."""
    query = vector.expand(1, 1, time, -1)
    return position(query, query)[0][0, 0]


def test_rotary_by_hand() -> None:
    # Four dimensions, base 100: the pair (0, 2) turns by t, the pair (1, 3) by t / 100^(2/4) = t / 10.
    at_3 = turned(rotary(4, 5, base=100.0), torch.tensor([1.0, 1, 0, 0]), 5)[3]
    expected = torch.tensor([math.cos(3), math.cos(0.3), math.sin(3), math.sin(0.3)])
    torch.testing.assert_close(at_3, expected)
    # A quarter turn takes the first half to the second, and the second to minus the first.
    position = rotary(2, 2)
    position.cos[1], position.sin[1] = 0.0, 1.0
    torch.testing.assert_close(turned(position, torch.tensor([3.0, 7.0]), 2)[1], torch.tensor([-7.0, 3.0]))


def test_rotary_leaves_the_first_token_as_it_is() -> None:
    vector = torch.randn(6)
    assert torch.equal(turned(rotary(6, 3), vector, 3)[0], vector)


@given(
    half=st.integers(1, 8),
    first=st.integers(0, 40),
    second=st.integers(0, 40),
    shift=st.integers(0, 23),
    base=st.floats(2.0, 1e6),
)
def test_rotary_scores_depend_on_the_distance_alone(
    half: int, first: int, second: int, shift: int, base: float
) -> None:
    position = rotary(2 * half, 64, base).double()
    query, key = torch.randn(2, 2 * half, dtype=torch.float64)
    queries, keys = turned(position, query, 64), turned(position, key, 64)
    here, there = queries[first] @ keys[second], queries[first + shift] @ keys[second + shift]
    # The angles are computed in float32: 64 · 2^-24 each.
    torch.testing.assert_close(here, there, rtol=0, atol=1e-5 * float(query.norm() * key.norm()))


@given(half=st.integers(1, 8), length=st.integers(1, 50))
def test_rotary_keeps_lengths(half: int, length: int) -> None:
    query = torch.randn(2, 3, length, 2 * half)
    key = torch.randn(2, 1, length, 2 * half)
    for before, after in zip((query, key), rotary(2 * half, length)(query, key), strict=True):
        torch.testing.assert_close(after.norm(dim=-1), before.norm(dim=-1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_rotary_keeps_the_type_of_what_it_turns(dtype: torch.dtype) -> None:
    # Its tables are float32; values are not turned and keep theirs, and attention wants one type for all.
    query = torch.ones(1, 1, 3, 4, dtype=dtype)
    assert [turned.dtype for turned in rotary(4, 3)(query, query)] == [dtype, dtype]


def test_rotary_acts_on_queries_and_keys_and_not_on_values() -> None:
    # With one value for all tokens the weights do not matter, unless the values were turned as well.
    model = randomized(GPTModel(model_config("rotary"))).eval()
    attention = model.blocks[0].attention
    x = torch.randn(1, 1, 10, dtype=torch.float64).expand(1, 9, 10)
    mixed = attention(x)
    torch.testing.assert_close(mixed, mixed[:, :1].expand_as(mixed))


@pytest.mark.parametrize(("width", "base"), [(10, 10_000.0), (7, 10_000.0), (1, 10_000.0), (4, 50.0)])
def test_sinusoidal_equals_the_formula_of_the_paper(width: int, base: float) -> None:
    config = GPTConfig(
        vocab_size=2, context_length=23, emb_dim=width, n_heads=1, n_layers=1,
        position={"kind": "sinusoidal", "base": base},
    )  # fmt: skip
    table = SinusoidalPosition(config.position, config)(23)
    for t in range(23):
        for j in range(width):
            angle = t / base ** (2 * (j // 2) / width)
            expected = math.sin(angle) if j % 2 == 0 else math.cos(angle)
            assert table[t, j].item() == pytest.approx(expected, abs=1e-5)


def test_learned_positions_are_rows_of_a_table() -> None:
    config = model_config("learned")
    position = LearnedPosition(config.position, config)
    with torch.no_grad():
        position.table.weight.copy_(torch.arange(64)[:, None].expand(64, 10))
    assert position(5).tolist() == [[float(t)] * 10 for t in range(5)]


@pytest.mark.parametrize(
    ("kind", "knows_order"), [("learned", True), ("sinusoidal", True), ("rotary", True), ("none", False)]
)
def test_without_positions_the_order_of_what_came_before_is_unknown(kind: str, knows_order: bool) -> None:
    # One layer: the last token sees the others as a set. Deeper ones learn the order from the causal mask.
    model = randomized(GPTModel(model_config(kind))).eval()
    ids = torch.tensor([[1, 2, 3, 4, 5], [4, 1, 3, 2, 5]])
    first, second = model(ids)[:, -1]
    assert torch.allclose(first, second, atol=1e-10) != knows_order


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary", "none"])
def test_fixed_positions_are_neither_parameters_nor_saved(kind: str) -> None:
    model = GPTModel(model_config(kind))
    assert not [name for name in model.state_dict() if "position" in name]
    longer = GPTModel(GPTConfig.model_validate(model.config.model_dump() | {"context_length": 128}))
    longer.load_state_dict(model.state_dict())
    ids = random_ids(model.config, time=64)
    torch.testing.assert_close(longer.eval()(ids), model.eval()(ids))
