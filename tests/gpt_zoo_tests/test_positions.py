import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_probes import random_ids, randomized
from torch import Tensor

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.config.position.alibi import AlibiPositionConfig
from gpt_zoo.config.position.rotary_scaling import NTKScalingConfig, RotarySpan
from gpt_zoo.layers.position import AlibiPosition, LearnedPosition, RotaryPosition, SinusoidalPosition


def model_config(kind: str, **position) -> GPTConfig:
    return GPTConfig(
        vocab_size=11,
        context_length=64,
        emb_dim=10,
        n_heads=1,
        n_layers=1,
        position={"kind": kind} | position,
    )


def rotary(head_dim: int, length: int, **declared: Any) -> RotaryPosition:
    config = GPTConfig(
        vocab_size=2, context_length=length, emb_dim=head_dim, n_heads=1, n_layers=1,
        position={"kind": "rotary"} | declared,
    )  # fmt: skip
    return RotaryPosition(config.position, config, 1.0)


def turned(position: RotaryPosition, vector: Tensor, time: int) -> Tensor:
    """`vector` as the query at each of `time` positions."""
    return position.turn(vector.expand(1, 1, time, -1), position.prepare(torch.arange(time)[None]))[0, 0]


def test_rotary_by_hand() -> None:
    # Four dimensions, base 100: the pair (0, 2) turns by t, the pair (1, 3) by t / 100^(2/4) = t / 10.
    at_3 = turned(rotary(4, 5, base=100.0), torch.tensor([1.0, 1, 0, 0]), 5)[3]
    expected = torch.tensor([math.cos(3), math.cos(0.3), math.sin(3), math.sin(0.3)])
    torch.testing.assert_close(at_3, expected)
    # A quarter turn takes the first half to the second, and the second to minus the first.
    quarter = (torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    after = rotary(2, 2).turn(torch.tensor([3.0, 7.0]).view(1, 1, 1, 2), quarter)
    assert after.flatten().tolist() == [-7.0, 3.0]


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
    position = rotary(2 * half, 64, base=base)
    query, key = torch.randn(2, 2 * half, dtype=torch.float64)
    queries, keys = turned(position, query, 64), turned(position, key, 64)
    here, there = queries[first] @ keys[second], queries[first + shift] @ keys[second + shift]
    # The angles are computed in float32: 64 · 2^-24 each.
    torch.testing.assert_close(here, there, rtol=0, atol=1e-5 * float(query.norm() * key.norm()))


@given(half=st.integers(1, 8), length=st.integers(1, 50))
def test_rotary_keeps_lengths(half: int, length: int) -> None:
    query = torch.randn(2, 3, length, 2 * half)
    key = torch.randn(2, 1, length, 2 * half)
    position = rotary(2 * half, length)
    for before in (query, key):
        after = position.turn(before, position.prepare(torch.arange(length)[None]))
        torch.testing.assert_close(after.norm(dim=-1), before.norm(dim=-1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_rotary_keeps_the_type_of_what_it_turns(dtype: torch.dtype) -> None:
    # Its tables are float32; values are not turned and keep theirs, and attention wants one type for all.
    query = torch.ones(1, 1, 3, 4, dtype=dtype)
    position = rotary(4, 3)
    assert position.turn(query, position.prepare(torch.arange(3)[None])).dtype == dtype


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
    table = SinusoidalPosition(config.position, config)(torch.arange(23)[None])[0]
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
    assert position(torch.arange(5)[None])[0].tolist() == [[float(t)] * 10 for t in range(5)]


def test_learned_positions_start_behind_the_offset() -> None:
    config = model_config("learned", offset=2)
    position = LearnedPosition(config.position, config)
    assert position.table.weight.shape == (66, 10)
    assert torch.equal(position(torch.tensor([[0, 63]]))[0], position.table.weight[[2, 65]])


def test_neighbours_make_a_pair_when_interleaved() -> None:
    # Pairs (0, 1) and (2, 3), which turn by t and by t / 100^(2/4) = t / 10.
    at_3 = turned(rotary(4, 5, base=100.0, interleaved=True), torch.tensor([1.0, 0, 1, 0]), 5)[3]
    expected = torch.tensor([math.cos(3), math.sin(3), math.cos(0.3), math.sin(0.3)])
    torch.testing.assert_close(at_3, expected)


def test_of_a_fraction_only_the_first_numbers_turn() -> None:
    vector = torch.randn(8)
    part, whole = turned(rotary(8, 5, fraction=0.5), vector, 5), turned(rotary(4, 5), vector[:4], 5)
    assert torch.equal(part[:, :4], whole)
    assert torch.equal(part[:, 4:], vector[4:].expand(5, 4))


def test_alibi_slopes_of_the_paper() -> None:
    # Press et al. 2021, section 3: 1/2, 1/4, ... 1/256 for 8 heads; for 16 the ratio is 1/sqrt(2).
    alibi = AlibiPositionConfig()
    assert alibi.slopes(8) == [2.0**-n for n in range(1, 9)]
    assert alibi.slopes(16) == pytest.approx([2 ** (-n / 2) for n in range(1, 17)])
    # 12 heads have the slopes of 8, then every other one of 16: 2^-0.5, 2^-1.5, 2^-2.5, 2^-3.5.
    assert alibi.slopes(12) == pytest.approx(
        [2.0**-n for n in range(1, 9)] + [2 ** (0.5 - n) for n in range(1, 5)]
    )


def test_alibi_takes_the_slope_times_the_distance_off_the_score() -> None:
    config = GPTConfig.model_validate(
        model_config("alibi").model_dump() | {"n_heads": 2, "emb_dim": 10, "context_length": 4}
    )
    positions = torch.arange(4)[None]
    bias = AlibiPosition(config.position, config, 0.5).bias(positions, positions)
    # 2^-(8·1/2) = 1/16 and 1/256.
    assert bias[0, :, 3].tolist() == [[-3 / 16, -2 / 16, -1 / 16, 0], [-3 / 256, -2 / 256, -1 / 256, 0]]
    scaled = AlibiPosition(AlibiPositionConfig(scaled=True), config, 0.5).bias(positions, positions)
    torch.testing.assert_close(scaled, bias / 2)


def test_alibi_rounded_to_bfloat16() -> None:
    """Of the 32 slopes the first is 2^-0.25 = 0.8409, in 8 bits 0.83984375; times 3 that is 2.515625."""
    config = GPTConfig.model_validate(
        model_config("alibi").model_dump() | {"n_heads": 32, "emb_dim": 64, "context_length": 4}
    )
    positions = torch.arange(4)[None]
    rounded = AlibiPosition(AlibiPositionConfig(rounded=True), config, 0.5).bias(positions, positions)
    assert rounded[0, 0, 0].tolist() == [0.0, 0.83984375, 1.6796875, 2.515625]
    assert rounded[0, 0, 3].tolist() == [-2.515625, 0.83984375 - 2.515625, 1.6796875 - 2.515625, 0.0]


def test_linear_scaling_divides_the_positions() -> None:
    vector = torch.randn(8)
    stretched = turned(rotary(8, 9, scaling={"kind": "linear", "factor": 4.0}), vector, 9)
    torch.testing.assert_close(stretched[::4], turned(rotary(8, 3), vector, 3), rtol=1e-5, atol=1e-5)


def test_ntk_scaling_slows_the_last_pair_by_the_factor_and_keeps_the_first() -> None:
    scaling = NTKScalingConfig(factor=4.0)
    span = RotarySpan(base=10_000.0, dim=8)
    frequencies = [10_000.0 ** (-pair / 4) for pair in range(4)]
    scaled = [scaling.frequency(f, pair, span) for pair, f in enumerate(frequencies)]
    assert scaled[0] == frequencies[0]
    assert scaled[3] == pytest.approx(frequencies[3] / 4)
    # The same as a base of 10,000 · 4^(8/6), Peng et al. 2023, section 3.1.
    base = 10_000.0 * 4 ** (8 / 6)
    assert scaled == pytest.approx([base ** (-pair / 4) for pair in range(4)])


SCALINGS = {
    "linear": ({"factor": 3.0}, {"rope_type": "linear", "factor": 3.0}),
    "llama3": (
        {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_context": 64},
        {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ),
    "yarn": (
        {"factor": 4.0, "original_context": 64, "beta_fast": 16.0},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 16.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SCALINGS)
def test_scalings_are_those_of_transformers(kind: str) -> None:
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    ours, theirs = SCALINGS[kind]
    config = LlamaConfig(
        hidden_size=64, num_attention_heads=1, max_position_embeddings=256,
        rope_parameters={"rope_theta": 500.0} | theirs,
    )  # fmt: skip
    cos, sin = LlamaRotaryEmbedding(config)(torch.zeros(1), torch.arange(256)[None])
    position = rotary(64, 256, base=500.0, scaling={"kind": kind} | ours)
    # Both know the angles, up to 256, to float32: 256 · 2^-23 = 3e-5.
    our_cos, our_sin = position.prepare(torch.arange(256)[None])
    torch.testing.assert_close(our_cos[0, 0], cos[0, :, :32], rtol=0, atol=3e-5)
    torch.testing.assert_close(our_sin[0, 0], sin[0, :, :32], rtol=0, atol=3e-5)


@pytest.mark.parametrize(
    ("kind", "knows_order"),
    [("learned", True), ("sinusoidal", True), ("rotary", True), ("alibi", True), ("none", False)],
)
def test_without_positions_the_order_of_what_came_before_is_unknown(kind: str, knows_order: bool) -> None:
    # One layer: the last token sees the others as a set. Deeper ones learn the order from the causal mask.
    model = randomized(GPTModel(model_config(kind))).eval()
    ids = torch.tensor([[1, 2, 3, 4, 5], [4, 1, 3, 2, 5]])
    first, second = model(ids)[:, -1]
    assert torch.allclose(first, second, atol=1e-10) != knows_order


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary", "alibi", "none"])
def test_fixed_positions_are_neither_parameters_nor_saved(kind: str) -> None:
    model = GPTModel(model_config(kind))
    assert not [name for name in model.state_dict() if "position" in name]
    longer = GPTModel(GPTConfig.model_validate(model.config.model_dump() | {"context_length": 128}))
    longer.load_state_dict(model.state_dict())
    ids = random_ids(model.config, time=64)
    torch.testing.assert_close(longer.eval()(ids), model.eval()(ids))


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary", "alibi"])
def test_positions_that_are_computed_take_no_memory(kind: str) -> None:
    # A table for each of two billion positions would be terabytes.
    model = GPTModel(model_config(kind).model_copy(update={"context_length": 2**31}))
    assert not list(model.buffers())
    assert model(torch.zeros(1, 3, dtype=torch.long)).isfinite().all()


def test_positions_keep_their_precision_in_a_model_of_bfloat16() -> None:
    # 999 turns by its own angle, not by that of the next number which bfloat16 has, 1000.
    position = rotary(4, 1024).bfloat16()
    cos, _ = position.prepare(torch.tensor([[999]]))
    assert cos[0, 0, 0, 0].item() == pytest.approx(math.cos(999), abs=1e-4)


@pytest.mark.parametrize("declared", [{"kind": "rotary"}, {"kind": "alibi"}])
def test_layers_that_are_alike_share_what_positions_give(declared: dict[str, Any]) -> None:
    config = GPTConfig(
        vocab_size=5, context_length=8, emb_dim=12, n_heads=3, n_layers=4, position=declared,
        layers=[{}, {"attention": {"window": 3}}],
    )  # fmt: skip
    model, made = GPTModel(config), []

    def counted(own: Any, name: str) -> Any:
        def count(*arguments: Any) -> Any:
            made.append(name)
            return own(*arguments)

        return count

    for block in model.blocks:
        for name in ("prepare", "bias"):
            setattr(block.attention.position, name, counted(getattr(block.attention.position, name), name))
    model(torch.zeros(1, 8, dtype=torch.long))
    assert made.count("prepare") == 1, "angles are the same for all layers"
    # The masks of the layers with a window and of those without have biases in them, if there are any.
    assert made.count("bias") == (2 if declared["kind"] == "alibi" else 0)


@pytest.mark.parametrize("kind", ["learned", "sinusoidal", "rotary", "none"])
def test_whole_sequences_need_no_mask_unless_scores_are_biased(kind: str) -> None:
    # The kernel knows what is causal, and with a mask it would store T x T numbers.
    model, masks = GPTModel(model_config(kind)), []
    attention = model.blocks[0].attention
    attend = attention.attend
    attention.attend = lambda query, key, value, mask, *rest: (
        masks.append(mask),
        attend(query, key, value, mask, *rest),
    )[1]
    model(torch.zeros(1, 8, dtype=torch.long))
    assert masks == [None]


@pytest.mark.parametrize("kind", ["learned", "sinusoidal", "rotary", "alibi", "none"])
def test_a_model_is_one_graph_to_the_compiler(kind: str, without_shape_checks: None) -> None:
    model = GPTModel(model_config(kind)).eval()
    ids = random_ids(model.config, time=8)
    assert torch._dynamo.explain(model)(ids).graph_break_count == 0
