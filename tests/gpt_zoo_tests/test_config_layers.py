"""Layers that differ from each other."""

import copy
import pickle

import pytest
from config_strategies import gpt_configs
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.config.merge import deep_merge

SMALL = {"vocab_size": 61, "context_length": 16, "emb_dim": 48, "n_heads": 4}


def deepened(config: GPTConfig, more: int) -> GPTConfig:
    """The config with more layers; an override that no layer of the shallow one had may not fit."""
    try:
        return GPTConfig.model_validate(config.model_dump() | {"n_layers": config.n_layers + more})
    except ValidationError:
        return config


@given(gpt_configs(), st.integers(0, 50))
def test_distinct_layers_are_counted_as_one_meets_them(config: GPTConfig, more: int) -> None:
    config = deepened(config, more)
    depth = config.n_layers
    through = [config.layer(index) for index in range(depth)]
    for layer, count in config.distinct_layers:
        alike = sum(number for other, number in config.distinct_layers if other == layer)
        assert through.count(layer) == alike >= count
    assert sum(count for _, count in config.distinct_layers) == depth


@given(gpt_configs(), st.integers(0, 50))
def test_each_layer_has_its_repeated_override_and_then_its_single_ones(config: GPTConfig, more: int) -> None:
    config = deepened(config, more)
    base = config.model_dump(exclude={"layers", "single_layers"})
    for index in range(config.n_layers):
        expected = base
        if config.layers:
            expected = deep_merge(expected, config.layers[index % len(config.layers)])
        for single in config.single_layers:
            if single["at"] in (index, index - config.n_layers):
                expected = deep_merge(expected, {k: v for k, v in single.items() if k != "at"})
        assert config.layer(index) == GPTConfig.model_validate(expected)


@pytest.mark.parametrize(("depth", "expected"), [(2, [4, 2]), (5, [4, 2, 4, 2, 4])])
def test_overrides_repeat_until_the_layers_are_filled(depth: int, expected: list[int]) -> None:
    config = GPTConfig.model_validate(SMALL | {"n_layers": depth, "layers": [{}, {"n_heads": 2}]})
    assert [config.layer(index).n_heads for index in range(depth)] == expected
    assert [block.attention.n_heads for block in GPTModel(config).blocks] == expected


def test_a_partial_component_keeps_the_rest_of_it() -> None:
    config = GPTConfig.model_validate(
        SMALL
        | {
            "n_layers": 2,
            "attention": {"kind": "grouped_query", "n_kv_heads": 2, "out_bias": False},
            "layers": [{"attention": {"n_kv_heads": 1}}, {"attention": {"kind": "multi_head"}}],
        }
    )
    first, second = config.layer(0).attention, config.layer(1).attention
    assert (first.kind, first.out_bias, first.key_value_heads(config)) == ("grouped_query", False, 1)
    # Another kind starts from its own defaults: the fields of the old one mean nothing to it.
    assert (second.kind, second.out_bias, second.key_value_heads(config)) == ("multi_head", True, 4)


def test_every_override_reaches_the_module() -> None:
    override = {
        "n_heads": 2,
        "drop_rate": 0.25,
        "qkv_bias": True,
        "activation": "relu",
        "attention": {"kind": "grouped_query", "n_kv_heads": 1, "out_bias": False},
        "norm": {"kind": "rms_norm", "eps": 0.5},
        "feed_forward": {"kind": "gated", "hidden_dim": 7},
    }
    config = GPTConfig.model_validate(SMALL | {"n_layers": 2, "layers": [{}, override]})
    plain, changed = GPTModel(config).blocks
    assert (plain.attention.n_heads, plain.attention.n_kv_heads, plain.attention.drop_rate) == (4, 4, 0.0)
    assert (changed.attention.n_heads, changed.attention.n_kv_heads) == (2, 1)
    assert (changed.attention.drop_rate, changed.dropout.p) == (0.25, 0.25)
    assert plain.attention.query.bias is None
    assert changed.attention.query.bias is not None
    assert changed.attention.output.bias is None
    assert changed.feed_forward.gate.out_features == 7
    assert changed.feed_forward.activation.name == "relu"
    assert type(changed.attention_norm).__name__ == "RMSNorm"
    assert changed.feed_forward_norm.eps == 0.5
    assert type(GPTModel(config).final_norm).__name__ == "LayerNorm"


@pytest.mark.parametrize("deep", [False, True])
def test_a_changed_copy_has_changed_layers(deep: bool) -> None:
    config = GPTConfig.model_validate(SMALL | {"n_layers": 2, "layers": [{}, {"n_heads": 2}]})
    assert config.layer(1).emb_dim == 48
    assert config.model_copy(update={"emb_dim": 96}, deep=deep).layer(1).emb_dim == 96
    assert config.layer(1).emb_dim == 48


JSON = st.recursive(
    st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: st.dictionaries(st.sampled_from(["x", "y", "kind"]), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from(["x", "y", "kind"]), JSON, max_size=3)


@given(MAPPINGS, MAPPINGS)
def test_a_merge_holds_what_was_laid_over_and_keeps_what_was_not(base: dict, override: dict) -> None:
    before = repr((base, override))
    merged = deep_merge(base, override)
    assert merged.keys() == base.keys() | override.keys()
    for key, value in merged.items():
        if key not in override:
            assert value == base[key]
        elif not isinstance(override[key], dict):
            assert value == override[key]
        else:
            assert override[key].keys() <= value.keys()
    assert deep_merge(merged, override) == merged
    assert repr((base, override)) == before, "the arguments are left as they were"


@given(MAPPINGS)
def test_nothing_merges_to_nothing_new(base: dict) -> None:
    assert deep_merge(base, {}) == base == deep_merge({}, base)


def test_mappings_of_different_kinds_do_not_mix() -> None:
    base = {"attention": {"kind": "grouped_query", "n_kv_heads": 2}}
    assert deep_merge(base, {"attention": {"kind": "multi_head"}}) == {"attention": {"kind": "multi_head"}}
    assert deep_merge(base, {"attention": {"kind": "grouped_query", "out_bias": False}}) == {
        "attention": {"kind": "grouped_query", "n_kv_heads": 2, "out_bias": False}
    }


def test_single_layers_are_counted_from_either_end_and_come_after_the_pattern() -> None:
    config = GPTConfig.model_validate(
        SMALL
        | {
            "n_layers": 5,
            "layers": [{"n_heads": 2}, {}],
            "single_layers": [{"at": [0, -1], "n_heads": 6}, {"at": 0, "activation": "relu"}],
        }
    )
    assert [config.layer(index).n_heads for index in range(5)] == [6, 4, 2, 4, 6]
    assert [config.layer(index).activation for index in range(5)] == ["relu"] + ["gelu_tanh"] * 4
    assert [count for _, count in config.distinct_layers] == [1, 2, 1, 1]


def test_a_layer_without_positions_among_rotary_ones() -> None:
    config = GPTConfig.model_validate(
        SMALL
        | {
            "n_layers": 4,
            "position": {"kind": "rotary"},
            "single_layers": [{"at": 3, "position": {"kind": "none"}}],
        }
    )
    assert [block.attention.position is None for block in GPTModel(config).blocks] == [False] * 3 + [True]


def test_overrides_of_layers_are_as_frozen_as_the_rest() -> None:
    given = {"layers": [{"attention": {"window": 2}}], "single_layers": [{"at": [0, -1], "n_heads": 2}]}
    config = GPTConfig.model_validate(SMALL | {"n_layers": 2} | given)
    for change in (
        lambda: config.layers[0]["attention"].update(window=3),
        lambda: config.layers[0].pop("attention"),
        lambda: config.single_layers[0].__setitem__("n_heads", 4),
    ):
        with pytest.raises(TypeError, match="configs are frozen"):
            change()
    given["layers"][0]["attention"]["window"] = 3  # what it was made of is no part of it
    assert config.layer(0).attention.window == 2


@given(gpt_configs())
def test_equal_configs_have_equal_hashes(config: GPTConfig) -> None:
    twin = GPTConfig.model_validate_json(config.model_dump_json())
    assert (twin, hash(twin)) == (config, hash(config))
    assert copy.deepcopy(config) == pickle.loads(pickle.dumps(config)) == config


def test_overrides_that_are_written_alike_are_one_layer() -> None:
    local = {"attention": {"window": 4}}
    config = GPTConfig.model_validate(SMALL | {"n_layers": 7, "layers": [local, local, {}]})
    assert [(layer.attention.window, count) for layer, count in config.distinct_layers] == [(4, 5), (None, 2)]


def test_true_is_not_taken_for_the_one_before_it() -> None:
    layers = [{"attention": {"window": 1}}, {"attention": {"window": True}}]
    with pytest.raises(ValidationError) as error:
        GPTConfig.model_validate(SMALL | {"n_layers": 2, "layers": layers})
    (line,) = error.value.errors()
    assert line["loc"] == ("layers", 1, "attention", "window")
    assert "must be a number, got true" in line["msg"]
