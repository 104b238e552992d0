"""What decoding a token costs: by hand, and as torch counts a cached step of the built model."""

from functools import partial

import pytest
import torch
from config_strategies import config_with, gpt_configs
from hypothesis import given
from hypothesis import strategies as st
from model_probes import random_ids, write_out_attention
from torch.utils.flop_counter import FlopCounterMode

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.slot import KINDS
from gpt_zoo.cost.crossing import Crossing, find_crossings
from gpt_zoo.cost.decode import bends, decode_cost
from registry import load_variant


def counted_flops(config: GPTConfig, context: int) -> int:
    """What torch counts for the token that makes a cached sequence `context` tokens long."""
    model = write_out_attention(GPTModel(config)).eval()
    ids, cache = random_ids(config, batch=1, time=context), model.new_cache(context)
    if context > 1:
        model(ids[:, :-1], cache=cache)
    with FlopCounterMode(display=False) as counter:
        model(ids[:, -1:], cache=cache)
    return counter.get_total_flops()


@given(gpt_configs(), st.data())
def test_flops_are_what_torch_counts_of_a_cached_step(config: GPTConfig, data: st.DataObject) -> None:
    context = data.draw(st.integers(1, config.context_length))
    assert decode_cost(config, context).flops_per_token == counted_flops(config, context)


LATENT = {"kind": "latent", "kv_rank": 7, "head_dim": 5, "value_head_dim": 3}


@pytest.mark.parametrize("kind", sorted(KINDS["attention"]))
@pytest.mark.parametrize("context", [1, 2, 18, 19])
def test_every_kind_of_attention(kind: str, context: int) -> None:
    config = config_with("attention", kind)
    assert decode_cost(config, context).flops_per_token == counted_flops(config, context)


@pytest.mark.parametrize(
    "options",
    [{"window": 4}, {"sinks": True}, {"sinks": True, "window": 4}, {"query_rank": 5}, {"softcap": 9.0}],
)
def test_latent_attention_in_each_way_to_read_its_cache(options: dict[str, object]) -> None:
    config = config_with("attention", "multi_head", attention=LATENT | options)
    for context in (1, 3, 4, 5, 19):
        assert decode_cost(config, context).flops_per_token == counted_flops(config, context)


def test_a_token_of_gpt2_by_hand() -> None:
    # Twelve layers of 12·D² weights and the tied head; a score and a value of D numbers for each of n keys.
    cost = decode_cost(load_variant("gpt2").config, 1000)
    weights = 12 * 12 * 768**2 + 50257 * 768
    assert cost.flops_per_token == 2 * (weights + 12 * 2 * 1000 * 768)
    assert cost.kv_cache_bytes == 2 * 2 * 12 * 768 * 1000
    # All 124,439,808 parameters but for the positions, of which one row is read.
    read = 124_439_808 - 1023 * 768
    assert cost.bytes_read_per_token == 2 * read + cost.kv_cache_bytes


def test_a_batch_shares_the_weights() -> None:
    config = load_variant("gpt2").config
    one, eight = decode_cost(config, 1000), decode_cost(config, 1000, batch_size=8)
    assert eight.kv_cache_bytes == 8 * one.kv_cache_bytes
    weights = one.bytes_read_per_token - one.kv_cache_bytes
    assert eight.bytes_read_per_token == weights // 8 + one.kv_cache_bytes
    assert eight.flops_per_token == one.flops_per_token


def test_a_window_caps_what_is_read() -> None:
    config = config_with(
        "attention", "grouped_query", attention={"kind": "grouped_query", "n_kv_heads": 2, "window": 5}
    )
    costs = [decode_cost(config, context) for context in (4, 5, 6, 19)]
    # Two layers; 4 query heads of 6 numbers score and weigh; 2 key and 2 value heads in 2 bytes.
    assert costs[1].flops_per_token - costs[0].flops_per_token == 2 * 2 * (2 * 4 * 6)
    assert costs[1].kv_cache_bytes - costs[0].kv_cache_bytes == 2 * (2 * 2 * 6) * 2
    assert costs[1] == decode_cost(config, 5)
    assert {cost.flops_per_token for cost in costs[1:]} == {costs[1].flops_per_token}
    assert {cost.bytes_read_per_token for cost in costs[1:]} == {costs[1].bytes_read_per_token}


def expected_experts(experts: int, chosen: int, tokens: int) -> float:
    expert = {"kind": "gated"}
    mixture = MixtureOfExpertsConfig(n_experts=experts, n_experts_per_token=chosen, expert=expert)
    return mixture.experts_used(tokens)


def test_experts_that_are_read_by_hand() -> None:
    # Of two experts with one chosen, N tokens miss one of them with probability 2 / 2^N.
    assert expected_experts(2, 1, 1) == 1
    assert expected_experts(2, 1, 3) == pytest.approx(2 - 2 / 8)
    assert expected_experts(8, 2, 2) == pytest.approx(8 * (1 - (3 / 4) ** 2))
    assert expected_experts(8, 8, 5) == 8


def test_experts_that_are_read_are_those_that_even_choices_hit() -> None:
    chosen = torch.rand(20_000, 6, 8, generator=torch.Generator().manual_seed(0)).topk(2, dim=-1).indices
    hit = torch.zeros(20_000, 8).scatter_(1, chosen.flatten(1), 1.0).sum(dim=1).mean()
    assert expected_experts(8, 2, 6) == pytest.approx(hit.item(), rel=0.005)


def test_a_mixture_reads_more_experts_for_a_batch() -> None:
    config = load_variant("mixtral-8x7b").config
    expert = 3 * 4096 * 14336
    one, two = (decode_cost(config, 1, batch) for batch in (1, 2))
    # Mixtral sends a token to 2 of 8, two tokens to 8·(1 - (3/4)²) = 3.5, in each of 32 layers; each token
    # reads a row of the table.
    weights_one, weights_two = (cost.bytes_read_per_token - 2 * 32 * 2 * 8 * 128 for cost in (one, two))
    assert 2 * weights_two - weights_one == 2 * round(1.5 * 32 * expert + 4096)


def test_crossings_are_where_they_are_by_hand() -> None:
    # 100 + 3n exceeds 50 + 5n up to n = 24, equals it at 25, and is exceeded from 26 on.
    assert find_crossings(lambda n: 100 + 3 * n, lambda n: 50 + 5 * n, {1, 64}) == [Crossing(26, 1)]
    # A window of 40 tokens: dearer from 21, cheaper again when the other has gone on.
    windowed = lambda n: 6 * min(n, 40)  # noqa: E731
    assert find_crossings(windowed, lambda n: 60 + 3 * n, {1, 40, 100}) == [Crossing(21, 0), Crossing(61, 1)]
    assert find_crossings(lambda n: n, lambda n: n, {1, 9}) == []
    # Equal while no window is full.
    assert find_crossings(lambda n: n, lambda n: min(n, 5), {1, 5, 9}) == [Crossing(6, 0)]
    assert find_crossings(lambda n: n, lambda n: 2, {1}) == []


@given(gpt_configs(), gpt_configs())
def test_crossings_are_all_there_are(one: GPTConfig, other: GPTConfig) -> None:
    end = min(one.context_length, other.context_length)
    lengths = {length for length in bends(one) | bends(other) if length < end} | {end}
    for field in ("kv_cache_bytes", "flops_per_token", "bytes_read_per_token"):
        first, second = (partial(lambda c, n: getattr(decode_cost(c, n), field), c) for c in (one, other))  # noqa: B023
        signs = [(first(n) < second(n)) - (first(n) > second(n)) for n in range(1, end + 1)]
        expected, before = [], signs[0]
        for length, sign in enumerate(signs, start=1):
            if sign and sign != before:
                expected.append(Crossing(length, int(sign > 0)))
                before = sign
        assert find_crossings(first, second, lengths) == expected


@pytest.mark.parametrize(("context", "batch"), [(0, 1), (1025, 1), (5, 0)])
def test_what_cannot_be_decoded_is_refused(context: int, batch: int) -> None:
    with pytest.raises(ValueError, match=r"at least 1|fit the context"):
        decode_cost(load_variant("gpt2").config, context, batch)
