"""What each declarable model is said to cost is what the built model costs.

Parameters, FLOPs and the size of caches are part of the contract in `test_model_contract`.
"""

import pytest
import torch
from config_strategies import config_with, gpt_configs
from hypothesis import given
from hypothesis import strategies as st
from model_probes import build_empty, random_ids, unique_numel, write_out_attention
from torch.utils.flop_counter import FlopCounterMode

from gpt_zoo import GPTConfig, GPTModel, measure_flops_forward, model_cost
from gpt_zoo.measure import flops as flops_module


@given(gpt_configs())
def test_parameters_beside_tables_are_those_of_the_built_model(config: GPTConfig) -> None:
    model, cost = build_empty(config), model_cost(config)
    tables = {id(model.token_table.weight): model.token_table.weight.numel()}
    tables[id(model.head.weight)] = model.head.weight.numel()
    if model.position is not None:
        tables |= {id(table): table.numel() for table in model.position.parameters()}
    assert cost.params_non_embedding == unique_numel(model) - sum(tables.values())


def test_training_multiplies_three_times_as_much() -> None:
    # Each product has two in the backward pass as torch counts it, for what it multiplied: also in the first
    # layer, since the embeddings are trained.
    config = config_with("attention", "grouped_query")
    model = write_out_attention(GPTModel(config))
    with FlopCounterMode(display=False) as counter:
        model(random_ids(config, batch=2)).sum().backward()
    assert counter.get_total_flops() == model_cost(config, batch_size=2).flops_train_step


def pair_flops(layer: GPTConfig) -> int:
    """What a query and a key of a layer cost, in all heads: a score and a weighed value, 2 FLOPs a number."""
    attention, usual = layer.attention, layer.emb_dim // layer.n_heads
    if attention.kind == "latent":
        numbers = attention.head_dim + attention.rope_head_dim + attention.value_head_dim
    elif attention.kind == "gated_linear":
        numbers = (attention.key_head_dim or usual) + (attention.value_head_dim or usual)
    else:
        numbers = 2 * (attention.head_dim or usual)
    return 2 * layer.n_heads * numbers


@given(gpt_configs(), st.data())
def test_causal_flops_count_the_pairs_one_by_one(config: GPTConfig, data: st.DataObject) -> None:
    time = data.draw(st.integers(1, config.context_length))
    expected = 0
    for layer in map(config.layer, range(config.n_layers)):
        reach = 16 if layer.attention.kind == "gated_linear" else time  # pairs are multiplied within a chunk
        chunk = [token // reach for token in range(time)]
        pairs = sum(1 for q in range(time) for k in range(q + 1, time) if chunk[q] == chunk[k])
        expected += pairs * pair_flops(layer)
    cost = model_cost(config, time)
    assert cost.flops_forward - cost.flops_forward_causal == expected


@given(gpt_configs())
def test_a_full_cache_has_the_bytes_that_are_told(config: GPTConfig) -> None:
    model = GPTModel(config).eval()
    cache = model.new_cache()
    model(random_ids(config, batch=3), cache=cache)
    assert model_cost(config, batch_size=3, bytes_per_value=4).kv_cache_bytes == 3 * 4 * cache.values()


def test_a_token_in_the_cache_by_hand() -> None:
    # 2 layers keep a key and a value of 2 heads of 6 numbers, in 2 bytes.
    cost = model_cost(config_with("attention", "grouped_query"))
    assert cost.kv_cache_bytes_per_token == 2 * 2 * 2 * 6 * 2
    assert cost.kv_cache_bytes == 19 * cost.kv_cache_bytes_per_token


@given(gpt_configs(), st.integers(1, 9))
def test_costs_of_training_are_multiples_of_a_forward(config: GPTConfig, batch: int) -> None:
    cost = model_cost(config, batch_size=batch)
    assert cost.flops_train_step == 3 * batch * cost.flops_forward
    assert cost.flops_train_per_token == 3 * cost.flops_forward // config.context_length


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


@pytest.mark.parametrize("time", [0, 20])
def test_a_length_that_the_model_cannot_read_is_refused(time: int) -> None:
    with pytest.raises(ValueError, match=r"empty|fit the context"):
        measure_flops_forward(config_with("norm", "layer_norm"), time)
