"""What decoding keeps: never more than is seen, never less."""

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import given, settings
from hypothesis import strategies as st
from model_probes import random_ids, randomized

from gpt_zoo import GPTConfig, GPTModel, model_cost
from gpt_zoo.layers.cache import TokenCache


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12),
    window=st.none() | st.integers(1, 30),
)
def test_a_cache_gives_the_last_tokens_in_their_order(lengths: list[int], window: int | None) -> None:
    cache = TokenCache(sum(lengths), window)
    everything = torch.arange(sum(lengths), dtype=torch.float64)[None, :, None]
    seen = 0
    for length in lengths:
        (given,) = cache.append(everything[:, seen : seen + length])
        first = 0 if window is None else max(0, seen - window + 1)
        assert torch.equal(given, everything[:, first : seen + length])
        seen += length
        assert cache.values() == min(seen, window or seen)
        assert cache.kept[0].size(1) <= min(sum(lengths), 2 * (window or sum(lengths)))


@given(gpt_configs(), st.data())
@settings(max_examples=40)
def test_the_numbers_that_are_kept_are_those_of_the_formula(config: GPTConfig, data: st.DataObject) -> None:
    model = GPTModel(config).eval()
    time = data.draw(st.integers(1, config.context_length))
    cache = model.new_cache()
    model(random_ids(config, batch=3, time=time), cache=cache)
    cost = model_cost(config, time, batch_size=3, bytes_per_value=4)
    assert cost.kv_cache_bytes == 3 * 4 * cache.values()


@given(gpt_configs(), st.data())
@settings(max_examples=60)
def test_padded_prompts_in_pieces_have_the_logits_that_each_has_alone(
    config: GPTConfig, data: st.DataObject
) -> None:
    model = randomized(GPTModel(config)).eval()
    lengths = data.draw(st.lists(st.integers(1, config.context_length), min_size=2, max_size=3))
    longest = max(lengths)
    ids = random_ids(config, batch=len(lengths), time=longest)
    mask = torch.tensor([[column >= longest - length for column in range(longest)] for length in lengths])
    cut = data.draw(st.integers(0, longest - 1))
    cache = model.new_cache()
    pieces = [piece for piece in (slice(0, cut), slice(cut, longest)) if piece.start < piece.stop]
    logits = torch.cat([model(ids[:, piece], mask[:, piece], cache) for piece in pieces], dim=1)
    for row, length in enumerate(lengths):
        alone = model(ids[row : row + 1, longest - length :])
        torch.testing.assert_close(logits[row : row + 1, longest - length :], alone, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_only_the_last_logits_are_computed_if_asked(slot: str, kind: str) -> None:
    model = randomized(GPTModel(config_with(slot, kind))).eval()
    ids = random_ids(model.config, batch=2)
    torch.testing.assert_close(model(ids, only_last=True), model(ids)[:, -1:])


def test_what_does_not_fit_is_refused() -> None:
    model = GPTModel(config_with("norm", "layer_norm")).eval()
    with pytest.raises(ValueError, match="holds 1 to 19 tokens, the model's context, got 20"):
        model.new_cache(20)
    cache = model.new_cache(5)
    ids = random_ids(model.config, time=4)
    model(ids, cache=cache)
    with pytest.raises(ValueError, match="holds 5 tokens, got 4 and 4 more; make it with a capacity of 8"):
        model(ids, cache=cache)
    full = model.new_cache()
    model(random_ids(model.config, time=18), cache=full)
    with pytest.raises(ValueError, match="got 4 tokens after 18 in the cache for a context_length of 19"):
        model(ids, cache=full)


def test_padding_must_stand_to_the_left(without_shape_checks: None) -> None:
    model = GPTModel(config_with("norm", "layer_norm")).eval()
    ids = random_ids(model.config, batch=2, time=3)
    with pytest.raises(ValueError, match="padding must stand to the left"):
        model(ids, torch.tensor([[1, 1, 0], [1, 1, 1]]))
    with pytest.raises(ValueError, match=r"shaped as the token ids, got \(2, 2\) and \(2, 3\)"):
        model(ids, torch.ones(2, 2))


def test_a_cache_belongs_to_one_batch() -> None:
    model = GPTModel(config_with("norm", "layer_norm")).eval()
    cache = model.new_cache()
    model(random_ids(model.config, batch=2, time=3), cache=cache)
    with pytest.raises(ValueError, match="keeps a batch of 2 sequences, got 1; each batch needs one"):
        model(random_ids(model.config, batch=1, time=1), cache=cache)


def test_padding_behind_what_the_cache_has_seen_is_refused() -> None:
    model = GPTModel(config_with("norm", "layer_norm")).eval()
    cache = model.new_cache()
    ids = random_ids(model.config, batch=2, time=3)
    model(ids, cache=cache)
    with pytest.raises(ValueError, match="padding must stand to the left"):
        model(ids, torch.tensor([[False, True, True], [True, True, True]]), cache)
    model(ids, cache=cache)  # what was refused has changed nothing


def test_a_cache_whose_pass_failed_is_of_no_use() -> None:
    model = GPTModel(config_with("norm", "layer_norm")).eval()
    cache, ids = model.new_cache(), random_ids(model.config, time=2)
    hook = model.blocks[1].register_forward_pre_hook(lambda module, inputs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model(ids, cache=cache)
    hook.remove()
    with pytest.raises(ValueError, match="the last forward with this cache failed"):
        model(ids, cache=cache)
