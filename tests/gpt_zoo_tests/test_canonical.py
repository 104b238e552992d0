"""Configs with the same canonical form are the same model; those that differ in anything are not."""

from typing import Any

import pytest
import torch
from config_strategies import gpt_configs
from hypothesis import given

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.config.canonical import canonical, hash_config

SMALL = {"vocab_size": 61, "context_length": 16, "emb_dim": 24, "n_heads": 4, "n_layers": 4}
ROTARY = {"position": {"kind": "rotary"}}
EXPERTS = {"kind": "mixture_of_experts", "n_experts": 3, "n_experts_per_token": 2}
LINEAR = {"kind": "gated_linear"}
LATENT = {"kind": "latent", "kv_rank": 5, "head_dim": 4, "value_head_dim": 3}

SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as many key/value heads as heads": ({"attention": {"kind": "grouped_query", "n_kv_heads": 4}}, {}),
    "one key/value head": (
        {"attention": {"kind": "grouped_query", "n_kv_heads": 1}},
        {"attention": {"kind": "multi_query"}},
    ),
    "one head": ({"n_heads": 1, "attention": {"kind": "multi_query"}}, {"n_heads": 1}),
    "the usual head size": ({"attention": {"kind": "multi_head", "head_dim": 6}}, {}),
    "the usual scale": ({"attention": {"kind": "multi_head", "scale": float(6**-0.5)}}, {}),
    "a window as long as the context": ({"attention": {"kind": "multi_head", "window": 16}}, {}),
    "biases one by one": (
        {"attention": {"kind": "multi_head", "query_bias": True, "key_bias": True, "value_bias": True}},
        {"qkv_bias": True},
    ),
    "a bias taken back": (
        {"qkv_bias": True, "attention": {"kind": "multi_head", "key_bias": False}},
        {"attention": {"kind": "multi_head", "query_bias": True, "value_bias": True}},
    ),
    "latent attention": (
        {"attention": {**LATENT, "window": 16, "scale": float(4**-0.5)}},
        {"attention": LATENT},
    ),
    "linear attention": (
        {"attention": {**LINEAR, "key_head_dim": 6, "value_head_dim": 6}},
        {"attention": LINEAR},
    ),
    "all of a head is turned": ({"position": {"kind": "rotary", "fraction": 0.99}}, ROTARY),
    "positions stretched by nothing": (
        {"position": {"kind": "rotary", "scaling": {"kind": "linear", "factor": 1}}},
        ROTARY,
    ),
    "the usual hidden size": ({"feed_forward": {"kind": "plain", "hidden_dim": 96}}, {}),
    "the usual multiple": ({"feed_forward": {"kind": "plain", "hidden_multiple": 4.0}}, {}),
    "a size and a multiple": (
        {"feed_forward": {"kind": "gated", "hidden_dim": 48}},
        {"feed_forward": {"kind": "gated", "hidden_multiple": 2.0}},
    ),
    "experts": (
        {"feed_forward": {**EXPERTS, "expert": {"kind": "plain", "hidden_dim": 96}}},
        {"feed_forward": {**EXPERTS, "expert": {"kind": "plain"}}},
    ),
    "where norms stand that are none": (
        {"norm": {"kind": "none"}, "block": {"kind": "sequential", "norm_placement": "post"}},
        {"norm": {"kind": "none"}, "final_norm": False},
    ),
    "shared norms that are none": (
        {"norm": {"kind": "none"}, "block": {"kind": "parallel", "shared_norm": False}},
        {"norm": {"kind": "none"}, "block": {"kind": "parallel"}},
    ),
    "a factor in words": (
        {"embedding": {"kind": "token", "multiplier": "sqrt_dim"}},
        {"embedding": {"kind": "token", "multiplier": float(24**0.5)}},
    ),
    "no row added": ({"embedding": {"kind": "token", "pad_to": 61}}, {}),
    "as many rows added": (
        {"embedding": {"kind": "token", "pad_to": 32}},
        {"embedding": {"kind": "token", "pad_to": 64}},
    ),
    "overrides that change nothing": (
        {"layers": [{"attention": {"window": 16}}, {"n_heads": 4}], "single_layers": [{"at": -1}]},
        {},
    ),
    "overrides of all layers": ({"layers": [{"activation": "relu"}]}, {"activation": "relu"}),
    "layers named one by one": (
        {"single_layers": [{"at": [0, 2], "attention": {"window": 5}}]},
        {"layers": [{"attention": {"window": 5}}, {}]},
    ),
    "a period told twice": (
        {"layers": [{"n_heads": 2}, {}, {"n_heads": 2}, {}]},
        {"layers": [{"n_heads": 2}, {"n_heads": 4}]},
    ),
}
DIFFERENT = [
    {"attention": {"kind": "grouped_query", "n_kv_heads": 2}},
    {"attention": {"kind": "multi_head", "window": 15}},
    {"attention": {"kind": "multi_head", "head_dim": 12}},
    {"qkv_bias": True},
    {"feed_forward": {"kind": "plain", "hidden_dim": 95}},
    {"feed_forward": {"kind": "gated"}},
    {"embedding": {"kind": "token", "pad_to": 64}},
    {"embedding": {"kind": "token", "dim": 24}},
    {"norm": {"kind": "layer_norm", "eps": 1e-6}},
    {"block": {"kind": "sequential", "norm_placement": "post"}},
    {"final_norm": False},
    {"tie_embeddings": True},
    {"initialization": "mitchell"},
    {"drop_rate": 0.1},
    {"layers": [{"attention": {"window": 5}}, {}]},
    {"layers": [{}, {"attention": {"window": 5}}]},
    {"position": {"kind": "learned", "offset": 1}},
    ROTARY,
]


def build(config: GPTConfig) -> GPTModel:
    torch.manual_seed(7)
    return GPTModel(config).eval()


def assert_same_model(one: GPTConfig, other: GPTConfig) -> None:
    """The same weights from the same seed, and the same logits."""
    models = [build(config) for config in (one, other)]
    weights, others = (model.state_dict() for model in models)
    assert list(weights) == list(others)
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    ids = torch.randint(one.vocab_size, (2, one.context_length))
    logits, also = (model(ids) for model in models)
    torch.testing.assert_close(logits, also)


@pytest.mark.parametrize("name", SAME)
def test_two_ways_to_say_the_same(name):
    one, other = (GPTConfig.model_validate(SMALL | fields) for fields in SAME[name])
    assert one != other
    assert canonical(one) == canonical(other)
    assert_same_model(one, other)


def test_what_differs_in_anything_keeps_its_own_form():
    configs = [GPTConfig.model_validate(SMALL | fields) for fields in ({}, *DIFFERENT)]
    hashes = {hash_config(canonical(config).model_dump(mode="json")) for config in configs}
    assert len(hashes) == len(configs)


@given(gpt_configs())
def test_the_canonical_form_is_the_same_model_and_its_own_canonical_form(config):
    plainest = canonical(config)
    assert canonical(plainest) == plainest
    assert_same_model(config, plainest)
