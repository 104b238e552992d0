"""GPT-NeoX-20B and Pythia: Black et al. 2022, arXiv:2204.06745; Biderman et al. 2023, arXiv:2304.01373."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Dropout,
    Family,
    Field,
    Hub,
    Meaning,
    Ours,
    Rotary,
    Same,
    fused_heads,
    linear,
    norm,
)


def _read_block(hub: Hub, ours: Ours) -> dict[str, Any]:
    if not hub["use_parallel_residual"]:
        return {"block.kind": "sequential"}
    return {"block.kind": "parallel", "block.shared_norm": False}


def _write_block(ours: Meaning) -> dict[str, Any]:
    return {"use_parallel_residual": ours["block.kind"] == "parallel"}


FAMILY = Family(
    model_type="gpt_neox",
    architecture="GPTNeoXForCausalLM",
    prefix="gpt_neox.",
    renamed={"hidden_dropout_prob": "hidden_dropout", "attention_probs_dropout_prob": "attention_dropout"},
    always={
        "attention.kind": "multi_head",
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_position_embeddings", "context_length"),
        Field("hidden_size", "emb_dim"),
        Field("num_hidden_layers", "n_layers"),
        Field("num_attention_heads", "n_heads"),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        Rotary(base="rotary_emb_base", fraction="rotary_pct", default_fraction=0.25),
        Field("hidden_act", "activation", "gelu", ACTIVATIONS),
        Field("layer_norm_eps", "norm.eps", 1e-5),
        Field("attention_bias", "qkv_bias", True),
        Field("attention_bias", "attention.out_bias", True),
        Computed({"use_parallel_residual": True}, _read_block, _write_block),
        Dropout("hidden_dropout", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    tensors=[
        Same("gpt_neox.embed_in.weight", "token_table.weight"),
        *norm("gpt_neox.layers.{i}.input_layernorm", "blocks.{i}.attention_norm"),
        *fused_heads("gpt_neox.layers.{i}.attention.query_key_value"),
        *linear("gpt_neox.layers.{i}.attention.dense", "blocks.{i}.attention.output"),
        *norm("gpt_neox.layers.{i}.post_attention_layernorm", "blocks.{i}.feed_forward_norm"),
        *linear("gpt_neox.layers.{i}.mlp.dense_h_to_4h", "blocks.{i}.feed_forward.expand"),
        *linear("gpt_neox.layers.{i}.mlp.dense_4h_to_h", "blocks.{i}.feed_forward.output"),
        *norm("gpt_neox.final_layer_norm", "final_norm"),
        Same("embed_out.weight", "head.weight"),
    ],
    ignored_tensors=[
        "gpt_neox.layers.*.attention.bias",
        "gpt_neox.layers.*.attention.masked_bias",
        "gpt_neox.layers.*.attention.rotary_emb.inv_freq",
    ],
)
