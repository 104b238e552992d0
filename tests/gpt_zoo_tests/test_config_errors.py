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


ROTARY = {"kind": "rotary"}
EXPERT = {"kind": "gated"}
MIXTURE = {"kind": "mixture_of_experts", "n_experts": 4, "n_experts_per_token": 2, "expert": EXPERT}
LATENT = {"kind": "latent", "kv_rank": 8, "head_dim": 8, "value_head_dim": 8}

# What is declared, where it is told, what is said, and the fix that is named, which must be accepted.
BROKEN: dict[str, tuple[dict[str, Any], str, str, dict[str, Any]]] = {
    "alibi with a rotary fraction": (
        {"position": {"kind": "alibi", "fraction": 0.5}},
        "position.fraction",
        "unknown key `fraction` of the kind `alibi`; `rotary` has it",
        {"position": {"kind": "rotary", "fraction": 0.5}},
    ),
    "a window longer than the context": (
        {"attention": {"kind": "multi_head", "window": 17}},
        "attention.window",
        "`window` must not be longer than the context, got 17 and a context_length of 16; try window 16, or "
        "null "
        "for all tokens",
        {"attention": {"kind": "multi_head", "window": 16}},
    ),
    "a pattern that does not fit into the layers": (
        {"layers": [{}, {}, {"n_heads": 2}]},
        "layers",
        "the pattern of `layers` must fit into `n_layers`, got 3 overrides for 2 layers; try n_layers 3, or "
        "leave "
        "out the last 1",
        {"n_layers": 3, "layers": [{}, {}, {"n_heads": 2}]},
    ),
    "a single layer that the model does not have": (
        {"single_layers": [{"at": 2, "n_heads": 2}]},
        "single_layers.0.at",
        "`at` must be the number of a layer or a list of them, from 0, or from -1 at the end; got 2 of 2 "
        "layers, "
        "try 1",
        {"single_layers": [{"at": 1, "n_heads": 2}]},
    ),
    "a single layer without a place": (
        {"single_layers": [{"n_heads": 2}]},
        "single_layers.0",
        "`at` is missing; `at` must be the number of a layer or a list of them, from 0, or from -1 at the "
        "end, such "
        "as at: 0",
        {"single_layers": [{"at": 0, "n_heads": 2}]},
    ),
    "a single layer in no place": (
        {"single_layers": [{"at": [], "n_heads": 2}]},
        "single_layers.0.at",
        "`at` must be the number of a layer or a list of them, from 0, or from -1 at the end; got none, try "
        "at: 0",
        {"single_layers": [{"at": [0], "n_heads": 2}]},
    ),
    "norms of queries and keys that are none": (
        {"norm": {"kind": "none"}, "attention": {"qk_norm": "head"}},
        "attention.qk_norm",
        "queries and keys take the layer's norm, got qk_norm head with norm none; try qk_norm null, or norm: "
        "{kind: rms_norm}",
        {"norm": {"kind": "rms_norm"}, "attention": {"qk_norm": "head"}},
    ),
    "a norm of the embeddings that is none": (
        {"norm": {"kind": "none"}, "embedding": {"norm": True}},
        "embedding.norm",
        "the embeddings take the model's norm, got norm true with norm none; try embedding.norm false, or "
        "norm: "
        "{kind: rms_norm}",
        {"norm": {"kind": "none"}, "embedding": {"norm": False}},
    ),
    "a part that ALiBi would not turn": (
        {"attention": LATENT | {"rope_head_dim": 4}, "position": {"kind": "alibi"}},
        "attention.rope_head_dim",
        "`rope_head_dim` is the part that positions turn, got 4 with alibi positions; try 0, or position: "
        "{kind: "
        "rotary}",
        {"attention": LATENT | {"rope_head_dim": 0}, "position": {"kind": "alibi"}},
    ),
    "a norm that no layer has but the model": (
        {
            "norm": {"kind": "layer_norm", "weight": False},
            "layers": [{"norm": {"weight": True}}],
        },
        "norm.bias",
        "a layer norm with a shift has a scale too, got weight false and bias true; try bias false",
        {
            "norm": {"kind": "layer_norm", "weight": False, "bias": False},
            "layers": [{"norm": {"weight": True}}],
        },
    ),
    "a hidden size of nothing": (
        {"feed_forward": {"kind": "gated", "hidden_multiple": 0.001}},
        "feed_forward.hidden_multiple",
        "`hidden_multiple` x emb_dim must round to 1 or more, got 0.001 x 48; try 0.0208333",
        {"feed_forward": {"kind": "gated", "hidden_multiple": 0.0208333}},
    ),
    "tied embeddings with a factorised table": (
        {"tie_embeddings": True, "embedding": {"kind": "token", "dim": 8}},
        "tie_embeddings",
        "tied embeddings need a head as wide as the token table, got 48 and 8; try head.dim 8, or "
        "tie_embeddings "
        "false",
        {
            "tie_embeddings": True,
            "embedding": {"kind": "token", "dim": 8},
            "head": {"kind": "linear", "dim": 8},
        },
    ),
    "tied embeddings with a factorised head": (
        {"tie_embeddings": True, "head": {"kind": "linear", "dim": 8}},
        "head.dim",
        "tied embeddings need a head as wide as the token table, got 8 and 48; try head.dim null, or "
        "tie_embeddings false",
        {"tie_embeddings": True, "head": {"kind": "linear", "dim": None}},
    ),
    "an odd number of turned numbers": (
        {"position": ROTARY | {"fraction": 0.25}},
        "position.fraction",
        "rotary positions turn an even number of a head's numbers, got 0.25 of 12 = 3; try fraction "
        "0.333333 or 1",
        {"position": ROTARY | {"fraction": 0.333333}},
    ),
    "nothing to turn in latent attention": (
        {"attention": LATENT, "position": ROTARY},
        "position",
        "latent attention has nothing for rotary positions to turn; try position: {kind: none}, or an "
        "attention.rope_head_dim above 0",
        {"attention": LATENT | {"rope_head_dim": 4}, "position": ROTARY},
    ),
    "a part for positions without positions": (
        {"attention": LATENT | {"rope_head_dim": 4}},
        "attention.rope_head_dim",
        "`rope_head_dim` is the part that positions turn, got 4 with learned positions; try 0, or position: "
        "{kind: rotary}",
        {"attention": LATENT | {"rope_head_dim": 0}},
    ),
    "positions for linear attention": (
        {"attention": {"kind": "gated_linear"}, "position": {"kind": "alibi"}},
        "position",
        "alibi positions act on the scores of a softmax, which gated_linear attention does not have; give "
        "its "
        "layers position: {kind: none}",
        {"attention": {"kind": "gated_linear"}, "position": {"kind": "none"}},
    ),
    "embedded positions in one layer": (
        {"position": ROTARY, "layers": [{}, {"position": {"kind": "sinusoidal"}}]},
        "layers.1.position",
        "sinusoidal positions are added to the embeddings, so they are the model's own; a layer can have "
        "rotary, "
        "alibi or none",
        {"position": ROTARY, "layers": [{}, {"position": {"kind": "none"}}]},
    ),
    "more experts a token than there are": (
        {"feed_forward": MIXTURE | {"n_experts_per_token": 5}},
        "feed_forward.n_experts_per_token",
        "`n_experts_per_token` must not exceed `n_experts`, got 5 and 4; try 4",
        {"feed_forward": MIXTURE | {"n_experts_per_token": 4}},
    ),
    "a gate for no shared expert": (
        {"feed_forward": MIXTURE | {"shared_gate": True}},
        "feed_forward.shared_gate",
        "`shared_gate` weighs a shared expert, got true and none; try shared_gate false, or shared: {kind: "
        "gated}",
        {"feed_forward": MIXTURE | {"shared_gate": True, "shared": {"kind": "gated"}}},
    ),
    "a hidden size given twice": (
        {"feed_forward": MIXTURE | {"expert": EXPERT | {"hidden_dim": 9, "hidden_multiple": 2.0}}},
        "feed_forward.expert.hidden_multiple",
        "the hidden size is given twice, as hidden_dim 9 and as hidden_multiple 2.0 x 48 = 96; set one of "
        "them to "
        "null",
        {"feed_forward": MIXTURE | {"expert": EXPERT | {"hidden_dim": None, "hidden_multiple": 2.0}}},
    ),
    "a mixture in a mixture": (
        {"feed_forward": MIXTURE | {"expert": MIXTURE}},
        "feed_forward.expert",
        "`expert` has no kind `mixture_of_experts`; known are `plain`, `gated`",
        {"feed_forward": MIXTURE},
    ),
    "a shift without a scale": (
        {"norm": {"kind": "layer_norm", "weight": False}},
        "norm.bias",
        "a layer norm with a shift has a scale too, got weight false and bias true; try bias false",
        {"norm": {"kind": "layer_norm", "weight": False, "bias": False}},
    ),
    "an offset without a scale": (
        {"norm": {"kind": "rms_norm", "weight": False, "unit_offset": True}},
        "norm.unit_offset",
        "`unit_offset` is added to a scale, got weight false and unit_offset true; try unit_offset false",
        {"norm": {"kind": "rms_norm", "weight": False, "unit_offset": False}},
    ),
    "frequencies in the wrong order": (
        {"position": ROTARY | {"scaling": {"kind": "llama3", "factor": 8.0, "low_freq_factor": 5.0}}},
        "position.scaling.low_freq_factor",
        "`low_freq_factor` must be below `high_freq_factor`, got 5.0 and 4.0; published are 1 and 4",
        {"position": ROTARY | {"scaling": {"kind": "llama3", "factor": 8.0, "low_freq_factor": 1}}},
    ),
    "values of different shapes to mix": (
        {
            "attention": {"kind": "multi_head", "value_residual": True},
            "layers": [{}, {"attention": {"kind": "multi_query", "value_residual": True}}],
        },
        "layers.1.attention.value_residual",
        "layers that mix in the first one's values need as many value heads of the same size, got 1 of 12, "
        "and 4 "
        "of 12 in the first such layer; try value_residual false here",
        {
            "attention": {"kind": "multi_head", "value_residual": True},
            "layers": [{}, {"attention": {"kind": "multi_query", "value_residual": False}}],
        },
    ),
    "an unknown rule of initialisation": (
        {"initialization": "gpt_2"},
        "initialization",
        "no initialization is called `gpt_2`; did you mean `gpt2`?",
        {"initialization": "gpt2"},
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_told_with_its_values_and_a_fix_that_works(case: str) -> None:
    declared, place, message, mended = BROKEN[case]
    assert problems(**declared) == {place: message}
    GPTModel(SMALL | mended)
