"""Persimmon: Elsen et al. 2023, "Releasing Persimmon-8B"."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Dropout,
    Family,
    Field,
    Hub,
    HubError,
    Ours,
    Rotary,
    Same,
    fused_heads,
    linear,
    norm,
)


def _check_heads(hub: Hub, ours: Ours) -> dict[str, Any]:
    heads = hub["num_key_value_heads"]
    if heads not in (None, ours["n_heads"]):
        raise HubError(f"`num_key_value_heads` is {heads!r}; supported is {ours['n_heads']}, one a head")
    return {}


FAMILY = Family(
    model_type="persimmon",
    architecture="PersimmonForCausalLM",
    always={
        "qkv_bias": True,
        "attention.kind": "multi_head",
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_position_embeddings", "context_length", 16384),
        Field("hidden_size", "emb_dim"),
        Field("num_hidden_layers", "n_layers"),
        Field("num_attention_heads", "n_heads"),
        Computed({"num_key_value_heads": None}, _check_heads),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        Rotary(fraction="partial_rotary_factor", default_fraction=0.5),
        Field("qk_layernorm", "attention.qk_norm", True, {False: None, True: "head"}),
        Field("hidden_act", "activation", "relu2", ACTIVATIONS),
        Field("layer_norm_eps", "norm.eps", 1e-5),
        Dropout("hidden_dropout", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    tensors=[
        Same("model.embed_tokens.weight", "token_table.weight"),
        *norm("model.layers.{i}.input_layernorm", "blocks.{i}.attention_norm"),
        *fused_heads("model.layers.{i}.self_attn.query_key_value"),
        *norm("model.layers.{i}.self_attn.q_layernorm", "blocks.{i}.attention.query_norm"),
        *norm("model.layers.{i}.self_attn.k_layernorm", "blocks.{i}.attention.key_norm"),
        *linear("model.layers.{i}.self_attn.dense", "blocks.{i}.attention.output"),
        *norm("model.layers.{i}.post_attention_layernorm", "blocks.{i}.feed_forward_norm"),
        *linear("model.layers.{i}.mlp.dense_h_to_4h", "blocks.{i}.feed_forward.expand"),
        *linear("model.layers.{i}.mlp.dense_4h_to_h", "blocks.{i}.feed_forward.output"),
        *norm("model.final_layernorm", "final_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
)
