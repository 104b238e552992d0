"""What differs between two configs, and what each difference alone costs."""

from dataclasses import astuple
from itertools import permutations
from typing import Any

import pytest

import registry
from gpt_zoo.config import GPTConfig
from gpt_zoo.cost import model_cost
from registry.diff import ConfigDiff, CostChange, FieldChange, diff_configs

SMALL = {"vocab_size": 61, "context_length": 13, "emb_dim": 24, "n_heads": 4, "n_layers": 2}


def config(**fields: Any) -> GPTConfig:
    return GPTConfig.model_validate(SMALL | fields)


def fields_of(diff: ConfigDiff) -> list[tuple[str, ...]]:
    return [tuple(change.field for change in difference.fields) for difference in diff.differences]


def test_gpt2_and_gpt2_medium_by_hand():
    diff = diff_configs(registry.load_variant("gpt2").config, registry.load_variant("gpt2-medium").config)
    width, depth = diff.differences
    assert width.fields == (FieldChange("emb_dim", 768, 1024), FieldChange("n_heads", 12, 16))
    assert "`emb_dim` must be a multiple of `n_heads`, got 1024 and 12" in width.together_because
    assert depth.fields == (FieldChange("n_layers", 12, 24),)
    assert depth.together_because == ""
    layer = 12 * 768**2 + 13 * 768  # weights and biases
    flops = 2 * (12 * 768**2 + 2 * 1024 * 768)  # a token: the weights, and 1024 scores and values
    cached = 2 * 768 * 2  # bytes: a key and a value
    assert depth.cost == CostChange(12 * layer, 12 * flops, 12 * cached, 12 * cached * 1024)
    assert diff.total.params == 354_823_168 - 124_439_808


def test_a_config_does_not_differ_from_itself():
    diff = diff_configs(config(), config())
    assert diff == ConfigDiff((), CostChange(0, 0, 0, 0))


def test_a_component_of_another_kind_is_one_field_and_of_the_same_kind_is_none():
    other = config(
        attention={"kind": "grouped_query", "n_kv_heads": 2}, norm={"kind": "layer_norm", "eps": 1e-3}
    )
    attention, norm = diff_configs(config(), other).differences
    assert norm.fields == (FieldChange("norm.eps", 1e-5, 1e-3),)
    assert attention.fields == (
        FieldChange("attention", {"kind": "multi_head"}, {"kind": "grouped_query", "n_kv_heads": 2}),
    )
    # Two heads of 6 numbers less, for keys and for values, in each of two layers.
    assert attention.cost.params == -2 * 2 * (2 * 6) * 24
    assert attention.cost.kv_cache_bytes_per_token == -2 * 2 * (2 * 6) * 2


def test_differing_layers_are_told_at_their_place():
    one = config(layers=[{"n_heads": 2}, {"activation": "relu"}])
    other = config(layers=[{"n_heads": 2}, {"activation": "silu"}])
    assert fields_of(diff_configs(one, other)) == [("layers[1].activation",)]
    assert fields_of(diff_configs(one, config(layers=[{"n_heads": 2}, {}]))) == [("layers[1]",)]
    (difference,) = diff_configs(config(), one).differences
    assert difference.fields == (FieldChange("layers", (), ({"n_heads": 2}, {"activation": "relu"})),)


def test_fields_join_as_few_others_as_make_them_valid():
    # 5 heads need a width of 30; 5 key/value heads need 5 heads, in the model and in its first layer.
    before = config(attention={"kind": "grouped_query", "n_kv_heads": 2}, layers=[{"n_heads": 4}, {}])
    after = config(
        emb_dim=30,
        n_heads=5,
        attention={"kind": "grouped_query", "n_kv_heads": 5},
        layers=[{"n_heads": 5}, {}],
        drop_rate=0.1,
        tie_embeddings=True,
        context_length=16,
    )
    diff = diff_configs(before, after)
    assert fields_of(diff) == [
        ("context_length",),
        ("emb_dim", "n_heads", "attention.n_kv_heads", "layers[0].n_heads"),
        ("drop_rate",),
        ("tie_embeddings",),
    ]
    tied = diff.differences[-1].cost
    assert astuple(tied) == (-61 * 24, 0, 0, 0)


PAIRS = list(permutations(["gpt-nano", "gpt2-xl", "modern-nano", "modern-small"], 2))


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_each_row_is_the_cost_of_a_variant_that_differs_in_it_alone(one, other):
    a, b = registry.load_variant(one).config, registry.load_variant(other).config
    diff = diff_configs(a, b)
    for difference in diff.differences:
        data = a.model_dump(mode="json")
        for change in difference.fields:
            # As one would write it: by its key path, in YAML.
            path = change.field.split(".")
            place = data
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = change.b
        changed, before = model_cost(GPTConfig.model_validate(data)), model_cost(a)
        assert difference.cost.params == changed.params - before.params
        assert difference.cost.kv_cache_bytes == changed.kv_cache_bytes - before.kv_cache_bytes
    told = [change.field.split(".")[0] for difference in diff.differences for change in difference.fields]
    differing = [key for key in GPTConfig.model_fields if getattr(a, key) != getattr(b, key)]
    assert sorted(set(told)) == sorted(differing)
    assert diff.total.params == model_cost(b).params - model_cost(a).params


def test_a_difference_there_and_back_costs_nothing():
    a, b = config(), config(emb_dim=32, n_layers=3, position={"kind": "rotary"})
    there, back = diff_configs(a, b), diff_configs(b, a)
    assert astuple(there.total) == tuple(-number for number in astuple(back.total))
    assert fields_of(there) == fields_of(back)
