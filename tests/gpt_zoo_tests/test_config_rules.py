"""Rules between fields: where each is told, what is said, and that the named fix is accepted."""

from typing import Any

import pytest
from test_config_errors import SMALL, problems

from gpt_zoo import GPTModel

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
