"""The vocabulary of the families' tables, by layouts written out by hand."""

import pytest
import torch

from gpt_zoo import GPTConfig
from gpt_zoo.families import read_hub_config
from gpt_zoo.families.engine.read_config import lay_out_layers, merge_layers
from gpt_zoo.families.family import (
    Field,
    Fused,
    FusedHeads,
    HubError,
    Nested,
    Only,
    Rotary,
    Same,
    Shifted,
    SlidingLayers,
    SlidingRotary,
    Stacked,
    Transposed,
    Window,
)

SIZES = {"vocab_size": 7, "context_length": 5, "emb_dim": 4, "n_layers": 2}
EXPERTS = {
    "kind": "mixture_of_experts", "n_experts": 2, "n_experts_per_token": 1,
    "expert": {"kind": "gated", "hidden_dim": 2},
}  # fmt: skip


def layer(**fields) -> GPTConfig:
    return GPTConfig(**{**SIZES, "n_heads": 4, **fields})


def heads(**attention) -> GPTConfig:
    return layer(attention={"head_dim": 2, **attention})


def split(rule, stored: torch.Tensor, rows: list[int], config: GPTConfig) -> list[list[int]]:
    """The rows of each of ours; and the way back."""
    shapes = [torch.Size((count, *stored.shape[1:])) for count in rows]
    parts = rule.split([stored], shapes, config)
    assert torch.equal(rule.join(parts, config)[0], stored)
    return [part[..., 0].tolist() for part in parts]


def column(n: int) -> torch.Tensor:
    return torch.arange(n)[:, None].expand(n, 3)


def test_queries_keys_and_values_of_each_head() -> None:
    """Two numbers a head, four heads: query, key, value of the first, then of the second."""
    rule = FusedHeads("qkv", ("q", "k", "v"))
    query, key, value = split(rule, column(24), [8, 8, 8], heads(kind="multi_head"))
    assert query == [0, 1, 6, 7, 12, 13, 18, 19]
    assert key == [2, 3, 8, 9, 14, 15, 20, 21]
    assert value == [4, 5, 10, 11, 16, 17, 22, 23]


def test_queries_before_the_key_and_value_that_they_share() -> None:
    rule = FusedHeads("qkv", ("q", "k", "v"))
    query, key, value = split(rule, column(16), [8, 4, 4], heads(kind="grouped_query", n_kv_heads=2))
    assert query == [0, 1, 2, 3, 8, 9, 10, 11]
    assert key == [4, 5, 12, 13]
    assert value == [6, 7, 14, 15]
    query, key, value = split(rule, column(12), [8, 2, 2], heads(kind="multi_query"))
    assert (query, key, value) == ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9], [10, 11])


def test_maps_one_after_the_other_or_in_turns() -> None:
    rows = [3, 3]
    assert split(Fused("x", ("a", "b")), column(6), rows, layer()) == [[0, 1, 2], [3, 4, 5]]
    in_turns = Fused("x", ("a", "b"), interleaved=True)
    assert split(in_turns, column(6), rows, layer()) == [[0, 2, 4], [1, 3, 5]]


def test_maps_in_shares_as_codegen_has_them() -> None:
    """Two shares of two maps: the first half of each, then the second."""
    halves = Fused("x", ("a", "b"), shares=2)
    assert split(halves, column(12), [4, 8], layer()) == [[0, 1, 6, 7], [2, 3, 4, 5, 8, 9, 10, 11]]


def test_a_bias_is_split_as_its_weight() -> None:
    bias = torch.arange(24)
    parts = FusedHeads("qkv", ("q", "k", "v")).split([bias], [torch.Size((8,))] * 3, heads(kind="multi_head"))
    assert parts[1].tolist() == [2, 3, 8, 9, 14, 15, 20, 21]


def test_experts_in_one_tensor_as_gpt_oss_has_them() -> None:
    """(experts, inputs, gate and map in turns)."""
    rule = Stacked(Fused("x.{i}", ("b.{i}.e.{e}.g", "b.{i}.e.{e}.u"), transposed=True, interleaved=True))
    config = layer(feed_forward=EXPERTS)
    ours = [f"b.{i}.e.{e}.{name}" for i in range(2) for e in range(2) for name in "gu"]
    places = list(rule.places(config, set(ours)))
    assert [place.hub for place in places] == [("x.0",), ("x.1",)]
    assert places[1].ours == tuple(ours[4:])
    stored = torch.arange(2 * 3 * 4).reshape(2, 3, 4)
    parts = rule.split([stored], [torch.Size((2, 3))] * 4, config)
    assert parts[0].tolist() == [[0, 4, 8], [2, 6, 10]]
    assert parts[3].tolist() == [[13, 17, 21], [15, 19, 23]]
    assert torch.equal(rule.join(parts, config)[0], stored)


def test_transposed_and_shifted() -> None:
    stored = torch.arange(6.0).reshape(2, 3)
    (turned,) = Transposed("x", "y").split([stored], [torch.Size((3, 2))], layer())
    assert turned.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert torch.equal(Transposed("x", "y").join([turned], layer())[0], stored)
    (shifted,) = Shifted("x", "y", 1.0).split([stored], [stored.shape], layer())
    assert shifted[0].tolist() == [1, 2, 3]
    assert torch.equal(Shifted("x", "y", 1.0).join([shifted], layer())[0], stored)


def test_a_row_is_for_the_layers_that_it_is_meant_for() -> None:
    config = layer(n_heads=2, n_layers=3, layers=[{"qkv_bias": True}, {}])
    names = {f"blocks.{i}.x" for i in range(3)}
    rule = Same("h.{i}", "blocks.{i}.x", when=lambda config: config.qkv_bias)
    assert [place.hub for place in rule.places(config, names)] == [("h.0",), ("h.2",)]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{}, {}, {}], {}),
        ([{"n_heads": 2}] * 3, {"n_heads": 2}),
        ([{"n_heads": 2}, {}] * 2, {"layers": [{"n_heads": 2}, {}]}),
        (
            [{"n_heads": 2}, {"n_heads": 2}, {}] * 2 + [{"n_heads": 2}],
            {"layers": [{"n_heads": 2}] * 2 + [{}]},
        ),
        (
            [{"n_heads": 2}, {}, {"n_heads": 2}, {"n_heads": 2}],
            {"single_layers": [{"at": [0, 2, 3], "n_heads": 2}]},
        ),
        ([{"n_heads": 2}, {}, {}, {}, {"n_heads": 2}], {"single_layers": [{"at": [0, 4], "n_heads": 2}]}),
    ],
)
def test_layers_are_said_shortly(layers: list, expected: dict) -> None:
    assert lay_out_layers({}, layers) == expected


def test_layers_beyond_number_are_laid_out_at_once() -> None:
    # Compared with one another, ten thousand layers take fifty million comparisons.
    class Counted(dict):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return super().__eq__(other)

    layers = [Counted(n_heads=2) for _ in range(9_999)] + [Counted()]
    assert lay_out_layers({}, layers) == {"single_layers": [{"at": list(range(9_999)), "n_heads": 2}]}
    assert Counted.compared < 10**5


def test_layers_of_several_rows_are_one() -> None:
    rows = [[{"attention": {"window": 2}}, {}], [{"attention": {"scale": 1.0}}, {"n_heads": 1}]]
    assert merge_layers(rows) == [{"attention": {"window": 2, "scale": 1.0}}, {"n_heads": 1}]


def test_sliding_layers() -> None:
    rule, ours = SlidingLayers(), {"n_layers": 3, "context_length": 8}
    kinds = ["full_attention", "sliding_attention", "full_attention"]
    read = rule.read({"layer_types": kinds, "sliding_window": 4}, ours)
    assert read == {"layers": [{}, {"attention": {"window": 4}}, {}]}
    assert rule.read({"layer_types": kinds, "sliding_window": 8}, ours) == {}, "it reaches over the context"
    for wrong in (kinds[:2], ["chunked_attention"] * 3, 3):
        with pytest.raises(HubError, match="layer_types"):
            rule.read({"layer_types": wrong, "sliding_window": 4}, ours)


def test_a_mapping_with_rows_of_its_own() -> None:
    rule = Nested("attn_config", [Field("clip_qkv", "attention.clip", None), Only("alibi", True)], {"impl"})
    assert rule.read({"attn_config": None}, {}) == {"attention.clip": None}
    given = {"clip_qkv": 6.0, "impl": "torch", "torchscript": False}
    assert rule.read({"attn_config": given}, {}) == {"attention.clip": 6.0}
    for wrong in ({"alibi": False}, {"kv_n_heads": 2}):
        with pytest.raises(HubError, match=f"`attn_config`: `{next(iter(wrong))}`"):
            rule.read({"attn_config": wrong}, {})


def test_a_field_under_its_other_name() -> None:
    fields = {"model_type": "bloom", "vocab_size": 7, "n_layer": 1, "n_head": 2}
    assert read_hub_config({**fields, "n_embed": 4}).emb_dim == 4
    assert read_hub_config({**fields, "n_embed": 4, "hidden_size": 4}).emb_dim == 4
    with pytest.raises(HubError, match="`n_embed` is 4, but `hidden_size`, which means the same, 8"):
        read_hub_config({**fields, "n_embed": 4, "hidden_size": 8})


def test_windows_behind_a_switch() -> None:
    ours = {"n_layers": 2, "context_length": 8}
    fields = {"layer_types": None, "sliding_window": 4, "use_sliding_window": False}
    layers = SlidingLayers(switch="use_sliding_window")
    assert layers.read(fields, ours) == {}
    window = {"attention": {"window": 4}}
    assert layers.read({**fields, "use_sliding_window": True}, ours) == {"layers": [window, window]}
    rule = Window(switch="use_sliding_window")
    assert rule.read(fields, ours) == {"attention.window": None}
    assert rule.read({**fields, "use_sliding_window": True}, ours) == {"attention.window": 4}


def test_rotary_positions_of_layers_with_a_window_and_without() -> None:
    """Transformers 4 reads `rope_theta` for both, 5 for those without a window alone."""
    rule = SlidingRotary(base=500.0, sliding_base=500.0, pattern=2)
    ours = {"n_layers": 2, "context_length": 8, "emb_dim": 8, "n_heads": 2}
    absent = rule.fields()
    read = rule.read({**absent, "sliding_window": 4, "rope_theta": 500.0}, ours)
    rotary = {"kind": "rotary", "base": 500.0, "scaling": None}
    assert read["layers"] == [{"position": rotary, "attention": {"window": 4}}, {"position": rotary}]
    with pytest.raises(HubError, match="`rope_theta` is 90"):
        rule.read({**absent, "rope_theta": 90.0}, ours)
    both = {"sliding_attention": {"rope_theta": 90.0}, "full_attention": {"rope_theta": 7.0}}
    read = rule.read({**absent, "rope_parameters": both}, ours)
    assert [layer["position"]["base"] for layer in read["layers"]] == [90.0, 7.0]


@pytest.mark.parametrize(
    ("rule", "parameters", "told"),
    [
        (Rotary(), {"partial_rotary_factor": 0.5}, "`partial_rotary_factor` is 0.5"),
        (Rotary(scaled=False), {"rope_type": "linear", "factor": 2.0}, "`rope_type` is 'linear'"),
    ],
)
def test_rotary_positions_that_a_family_does_not_read(rule: Rotary, parameters: dict, told: str) -> None:
    ours = {"context_length": 8, "emb_dim": 8, "n_heads": 2}
    with pytest.raises(HubError, match=told):
        rule.read({**rule.fields(), "rope_parameters": parameters}, ours)


def test_rotary_positions_that_a_family_has_where_nothing_is_said() -> None:
    rule = Rotary(default={"rope_type": "linear", "factor": 2.0})
    ours = {"context_length": 8, "emb_dim": 8, "n_heads": 2}
    assert rule.read(rule.fields(), ours)["position.scaling"] == {"kind": "linear", "factor": 2.0}
    assert "position.scaling" not in rule.read({**rule.fields(), "rope_parameters": {}}, ours)


@pytest.mark.parametrize("value", ["false", 1, [], {}])
def test_a_switch_is_true_or_false(value: object) -> None:
    fields = {"model_type": "falcon", "vocab_size": 7, "hidden_size": 4, "num_hidden_layers": 1}
    with pytest.raises(HubError, match=r"`alibi` is .*; supported is true or false"):
        read_hub_config({**fields, "num_attention_heads": 2, "alibi": value})


def test_layers_beyond_number_are_not_counted() -> None:
    """Neither those of a list that says how often it comes, nor those that a list would be made for."""
    sizes = {"vocab_size": 7, "hidden_size": 4}
    types = {"num_heads": 2, "num_layers": 3, "attention_types": [[["local"], 10**12]]}
    with pytest.raises(HubError, match="`attention_types` is for 1000000000000 layers, but there are 3"):
        read_hub_config({"model_type": "gpt_neo", **sizes, **types})
    layers = {"num_attention_heads": 2, "intermediate_size": 4, "num_hidden_layers": 10**12}
    with pytest.raises(HubError, match="`num_hidden_layers` 1000000000000 must be a whole number"):
        read_hub_config({"model_type": "cohere2", **sizes, **layers, "max_position_embeddings": 8})
