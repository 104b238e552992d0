"""What each declarable model is said to cost is what the built model costs."""

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import given, settings
from hypothesis import strategies as st
from model_probes import on_meta, random_ids, unique_numel, write_out_attention
from torch.utils.flop_counter import FlopCounterMode

from gpt_zoo import GPTConfig, GPTModel, measure_flops_forward, model_cost
from gpt_zoo import flops as flops_module


@given(gpt_configs())
def test_parameters_are_those_of_the_built_model(config: GPTConfig) -> None:
    model, cost = on_meta(config), model_cost(config)
    assert cost.params == unique_numel(model)
    assert cost.params_non_embedding == unique_numel(model.blocks) + unique_numel(model.final_norm)
    for index, block in enumerate(model.blocks):
        layer = config.layer(index)
        assert layer.block.params(layer) == unique_numel(block)
        assert layer.attention.params(layer) == unique_numel(block.attention)
        assert layer.feed_forward.params(layer) == unique_numel(block.feed_forward)
    assert config.position.params(config) == (unique_numel(model.position) if model.position else 0)


@given(gpt_configs(), st.data())
def test_flops_are_those_that_torch_counts_in_each_module(config: GPTConfig, data: st.DataObject) -> None:
    time = data.draw(st.integers(1, config.context_length))
    model = write_out_attention(on_meta(config))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(3, time, dtype=torch.long, device="meta"))
    assert counter.get_total_flops() == 3 * model_cost(config, time).flops_forward
    counts = {name: sum(count.values()) for name, count in counter.get_flop_counts().items()}
    for index in range(config.n_layers):
        layer = config.layer(index)
        for part in ("attention", "feed_forward"):
            macs = getattr(layer, part).macs(layer, time)
            counted = counts[f"GPTModel.blocks.{index}.{part}"]
            assert counted == 3 * 2 * (macs.linear + macs.attention)


@given(gpt_configs(), st.data())
@settings(max_examples=15)
def test_flops_are_those_that_fvcore_counts(config: GPTConfig, data: st.DataObject) -> None:
    time = data.draw(st.none() | st.integers(1, config.context_length))
    assert measure_flops_forward(config, time) == model_cost(config, time).flops_forward


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_both_counters_agree_on_every_kind(slot: str, kind: str) -> None:
    config = config_with(slot, kind)
    model = write_out_attention(on_meta(config))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, config.context_length, dtype=torch.long, device="meta"))
    assert measure_flops_forward(config) == counter.get_total_flops() == model_cost(config).flops_forward


def test_training_multiplies_three_times_as_much() -> None:
    # Each product has two in the backward pass as torch counts it, for what it multiplied: also in the first
    # layer, since the embeddings are trained.
    config = config_with("attention", "grouped_query")
    model = write_out_attention(GPTModel(config))
    with FlopCounterMode(display=False) as counter:
        model(random_ids(config, batch=2)).sum().backward()
    assert counter.get_total_flops() == model_cost(config, batch_size=2).flops_train_step


@given(gpt_configs(), st.data())
def test_causal_flops_count_the_pairs_one_by_one(config: GPTConfig, data: st.DataObject) -> None:
    time = data.draw(st.integers(1, config.context_length))
    cost = model_cost(config, time)
    masked = sum(1 for query in range(time) for key in range(time) if key > query)
    # Each layer's heads add up to the width; a pair costs a score and a value, two FLOPs each number.
    assert cost.flops_forward - cost.flops_forward_causal == config.n_layers * masked * 2 * 2 * config.emb_dim


@given(gpt_configs())
def test_the_cache_holds_the_keys_and_values_that_the_model_computes(config: GPTConfig) -> None:
    model = GPTModel(config).eval()
    kept = 0

    def keep(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> None:
        nonlocal kept
        kept += output.numel() * output.element_size()

    for block in model.blocks:
        block.attention.key.register_forward_hook(keep)
        block.attention.value.register_forward_hook(keep)
    model(random_ids(config, batch=3))
    cost = model_cost(config, batch_size=3, bytes_per_value=4)
    assert cost.kv_cache_bytes == kept
    assert cost.kv_cache_bytes_per_token * 3 * config.context_length == kept


@given(gpt_configs(), st.integers(1, 9))
def test_costs_of_training_are_multiples_of_a_forward(config: GPTConfig, batch: int) -> None:
    cost = model_cost(config, batch_size=batch)
    assert cost.flops_train_step == 3 * batch * cost.flops_forward
    assert (
        cost.flops_train_per_token * config.context_length == 3 * cost.flops_forward
    )  # no remainder is lost


def test_a_product_that_is_not_counted_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # A new kind whose products fvcore drops must not come out cheap.
    def forward(self: GPTModel, ids: torch.Tensor) -> torch.Tensor:
        x = self.token_table(ids)
        return torch.outer(x[0, 0], x[0, 0])

    monkeypatch.setattr(GPTModel, "forward", forward)
    with pytest.raises(ValueError, match="counts nothing for aten::outer"):
        measure_flops_forward(config_with("norm", "layer_norm"))


@pytest.mark.parametrize("name", ["aten::mv", "aten::addmv", "aten::conv1d", "aten::_scaled_mm", "aten::dot"])
def test_names_of_products_are_recognised(name: str) -> None:
    assert flops_module.LOOKS_LIKE_A_MATMUL.search(name)


@pytest.mark.parametrize("time", [0, 14])
def test_a_length_that_the_model_cannot_read_is_refused(time: int) -> None:
    with pytest.raises(ValueError, match=r"empty|fit the context"):
        measure_flops_forward(config_with("norm", "layer_norm"), time)
