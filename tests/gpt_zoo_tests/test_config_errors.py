"""What a user reads who declared something wrong: the rule, the values, the place, the nearest fix."""

from typing import Any

import pytest
from pydantic import ValidationError

from gpt_zoo import GPTConfig, GPTModel

SMALL = {"vocab_size": 61, "context_length": 16, "emb_dim": 48, "n_heads": 4, "n_layers": 2}


def problems(**fields: Any) -> dict[str, str]:
    """Each place that is complained of, dotted, and what is said of it."""
    with pytest.raises(ValidationError) as caught:
        GPTConfig.model_validate(SMALL | fields)
    return {".".join(map(str, error["loc"])): error["msg"] for error in caught.value.errors()}


def test_a_misspelt_key_is_answered_with_the_nearest() -> None:
    assert problems(emb_dims=48) == {"emb_dims": "unknown key `emb_dims`; did you mean `emb_dim`?"}


def test_a_key_like_no_other_is_answered_with_those_that_exist() -> None:
    message = problems(xyzzy=1)["xyzzy"]
    assert message.startswith("unknown key `xyzzy`; known are `vocab_size`, `context_length`")


def test_a_misspelt_key_inside_of_a_component_is_found_there() -> None:
    found = problems(norm={"kind": "layer_norm", "epss": 1e-5})
    assert found == {"norm.epss": "unknown key `epss`; did you mean `eps`?"}


def test_a_key_that_is_no_word_is_refused_as_well() -> None:
    with pytest.raises(ValidationError, match="unknown key `5`"):
        GPTConfig.model_validate({**SMALL, 5: 1})


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        emb_dims=1,
        n_layers=0,
        drop_rate=1.0,
        activation="gelo",
        attention={"kind": "multi_haed"},
        norm={"kind": "rms_norm", "eps": -1},
        layers=[{"vocab_size": 3}, {"n_haeds": 2}],
    )
    assert set(found) == {
        "emb_dims",
        "n_layers",
        "drop_rate",
        "activation",
        "attention",
        "norm.eps",
        "layers.0.vocab_size",
        "layers.1.n_haeds",
    }


def test_missing_fields_are_all_named() -> None:
    with pytest.raises(ValidationError) as caught:
        GPTConfig.model_validate({"vocab_size": 61})
    places = {error["loc"] for error in caught.value.errors()}
    assert places == {("context_length",), ("emb_dim",), ("n_heads",), ("n_layers",)}


def test_heads_that_do_not_divide_the_width_come_with_numbers_that_do() -> None:
    message = problems(n_heads=7)["n_heads"]
    # 48 = 6·8; the multiples of 7 around it are 42 and 49.
    assert message == (
        "`emb_dim` must be a multiple of `n_heads`, got 48 and 7; try n_heads 6 or 8, or give "
        "attention.head_dim, or emb_dim 42 or 49"
    )


def test_more_heads_than_width() -> None:
    message = problems(emb_dim=3, n_heads=4)["n_heads"]
    assert message.endswith("got 3 and 4; try n_heads 3, or give attention.head_dim, or emb_dim 4")


def test_key_value_heads_that_do_not_divide_the_heads() -> None:
    found = problems(n_heads=8, attention={"kind": "grouped_query", "n_kv_heads": 3})
    assert found == {
        "attention.n_kv_heads": "`n_heads` must be a multiple of `n_kv_heads`, got 8 and 3; try 2 or 4"
    }


def test_more_key_value_heads_than_heads() -> None:
    found = problems(attention={"kind": "grouped_query", "n_kv_heads": 8})
    assert "got 4 and 8; try 4" in found["attention.n_kv_heads"]


@pytest.mark.parametrize("width", [10**9, 10**9 + 7, 2**31 - 1])
def test_a_mistyped_width_is_answered_as_well(width: int) -> None:
    # The second and third are primes, whose divisors lie out of reach.
    assert "try n_heads" in problems(emb_dim=width, n_heads=7)["n_heads"]


def test_two_broken_rules_are_both_told() -> None:
    found = problems(n_heads=5, attention={"kind": "grouped_query", "n_kv_heads": 3})
    assert set(found) == {"n_heads", "attention.n_kv_heads"}


def test_rotary_heads_of_odd_size() -> None:
    message = problems(emb_dim=12, n_heads=4, position={"kind": "rotary"})["emb_dim"]
    assert message.endswith("got 12 / 4 = 3; try emb_dim 16 or 8")


def test_the_fixes_that_errors_name_are_accepted() -> None:
    for fields in (
        {"n_heads": 6}, {"n_heads": 8}, {"emb_dim": 42, "n_heads": 7}, {"emb_dim": 49, "n_heads": 7},
        {"emb_dim": 4}, {"emb_dim": 3, "n_heads": 3},
        {"emb_dim": 16, "position": {"kind": "rotary"}}, {"emb_dim": 8, "position": {"kind": "rotary"}},
    ):  # fmt: skip
        assert GPTConfig.model_validate(SMALL | fields).emb_dim % fields.get("n_heads", 4) == 0


def test_an_unknown_kind_is_answered_with_the_nearest() -> None:
    found = problems(attention={"kind": "group_query"})
    assert found == {"attention": "`attention` has no kind `group_query`; did you mean `grouped_query`?"}


@pytest.mark.parametrize("kind", [None, 3, ["multi_head"], {"a": 1}])
def test_a_kind_that_is_no_word(kind: Any) -> None:
    assert "has no kind" in problems(attention={"kind": kind})["attention"]


def test_a_kind_without_its_mapping_is_told_how_to_write_it() -> None:
    message = problems(attention="multi_head")["attention"]
    assert message == "`attention` must be a mapping with a `kind`, such as {kind: multi_head}"
    assert problems(norm="rmsnorm")["norm"].endswith("such as {kind: rms_norm}")


def test_a_mapping_without_a_kind_is_of_the_default_kind() -> None:
    config = GPTConfig.model_validate(SMALL | {"norm": {"eps": 1e-6}, "feed_forward": {"hidden_dim": 7}})
    assert (config.norm.kind, config.norm.eps) == ("layer_norm", 1e-6)
    assert (config.feed_forward.kind, config.feed_forward.hidden(config)) == ("plain", 7)


def test_a_mapping_without_a_kind_that_another_kind_would_fit_is_told_that_one() -> None:
    message = problems(attention={"n_kv_heads": 2})["attention"]
    assert message == "`attention` must be a mapping with a `kind`, such as {kind: grouped_query}"
    assert problems(attention={"windw": 2}) == {
        "attention.windw": "unknown key `windw`; did you mean `window`?"
    }


def test_a_fix_for_one_layer_is_in_that_layer() -> None:
    # All layers share the width: another one would break the rule in the rest of them.
    message = problems(layers=[{"n_heads": 5}, {}])["layers.0.n_heads"]
    assert message.endswith("got 48 and 5; try n_heads 4 or 6, or give attention.head_dim")


def test_a_number_or_a_word_is_asked_for_in_one_line() -> None:
    assert problems(embedding={"multiplier": "sqrt"}) == {
        "embedding.multiplier": "must be a number above 0 or `sqrt_dim`, got 'sqrt'"
    }


@pytest.mark.parametrize("field", ["vocab_size", "context_length", "emb_dim", "n_heads", "n_layers"])
def test_sizes_that_nobody_builds_are_told_and_not_multiplied_out(field: str) -> None:
    assert "less than or equal to" in problems(**{field: 2**62})[field]


def test_a_component_in_the_wrong_slot() -> None:
    attention = GPTConfig.model_validate(SMALL).attention
    assert "must be a mapping with a `kind`" in problems(norm=attention)["norm"]


def test_an_unknown_activation() -> None:
    assert problems(activation="gelo") == {
        "activation": "no activation is called `gelo`; did you mean `gelu`?"
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocab_size", 0),
        ("vocab_size", -5),
        ("emb_dim", 48.5),
        ("emb_dim", "wide"),
        ("n_layers", None),
        ("context_length", [16]),
        ("drop_rate", -0.1),
        ("drop_rate", 1.0),
        ("drop_rate", "much"),
        ("qkv_bias", "perhaps"),
        ("activation", 3),
        ("tie_embeddings", 2),
        ("layers", {"n_heads": 2}),
        ("layers", [3]),
        ("layers", "all"),
        ("feed_forward", {"kind": "plain", "hidden_dim": 0}),
        ("norm", {"kind": "layer_norm", "eps": 0}),
        ("position", {"kind": "sinusoidal", "base": -1}),
    ],
)
def test_wrong_types_and_ranges_are_found_where_they_are(field: str, value: Any) -> None:
    found = problems(**{field: value})
    assert len(found) == 1
    assert next(iter(found)).split(".")[0] == field


def test_a_key_of_the_whole_model_is_no_key_of_a_layer() -> None:
    found = problems(layers=[{}, {"emb_dim": 96}])
    assert found["layers.1.emb_dim"].startswith(
        "`emb_dim` is the same for all layers; a layer can override n_heads"
    )


def test_a_misspelt_key_of_a_layer() -> None:
    assert problems(layers=[{"n_hedas": 2}]) == {
        "layers.0.n_hedas": "a layer cannot override `n_hedas`; did you mean `n_heads`?"
    }


def test_a_rule_that_only_one_layer_breaks_is_told_at_that_layer() -> None:
    third = {"attention": {"kind": "grouped_query", "n_kv_heads": 3}}
    found = problems(n_layers=3, layers=[{}, {"n_heads": 5}, third])
    assert set(found) == {"layers.1.n_heads", "layers.2.attention.n_kv_heads"}
    assert "got 48 and 5" in found["layers.1.n_heads"]


def test_a_rule_between_a_layer_and_the_model_is_told_at_the_layer() -> None:
    found = problems(position={"kind": "rotary"}, layers=[{}, {"n_heads": 16}])  # 48 / 16 = 3, odd
    assert set(found) == {"layers.1.emb_dim"}


def test_a_wrong_value_inside_of_a_layer() -> None:
    found = problems(layers=[{"feed_forward": {"kind": "plain", "hidden_dim": -1}}, {"drop_rate": 2}])
    assert set(found) == {"layers.0.feed_forward.hidden_dim", "layers.1.drop_rate"}


def test_a_rule_that_every_layer_overrides_is_not_broken() -> None:
    assert GPTConfig.model_validate(SMALL | {"n_heads": 5, "layers": [{"n_heads": 4}]}).layer(1).n_heads == 4


def test_configs_are_frozen() -> None:
    config = GPTConfig.model_validate(SMALL)
    with pytest.raises(ValidationError, match="frozen"):
        config.emb_dim = 96  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        config.norm.eps = 1e-6  # type: ignore[misc]


def test_the_model_refuses_a_wrong_dict_as_the_config_does() -> None:
    with pytest.raises(ValueError, match="did you mean `emb_dim`"):
        GPTModel({"emb_dims": 3})


def test_truth_values_are_no_numbers() -> None:
    assert problems(n_layers=True, drop_rate=False, feed_forward={"kind": "plain", "hidden_dim": True}) == {
        "n_layers": "must be a number, got true",
        "drop_rate": "must be a number, got false",
        "feed_forward.hidden_dim": "must be a number, got true",
    }
    assert GPTConfig(**SMALL, qkv_bias=True).qkv_bias is True
