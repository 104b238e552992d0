"""BioGPT: Luo et al. 2022, arXiv:2210.10341."""

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
    Same,
    linear,
    norm,
)


def _read_scale(hub: Hub, ours: Ours) -> dict[str, Any]:
    return {"embedding.multiplier": "sqrt_dim" if hub["scale_embedding"] else 1.0}


def _write_scale(ours: Meaning) -> dict[str, Any]:
    return {"scale_embedding": ours["embedding.multiplier"] != 1.0}


FAMILY = Family(
    model_type="biogpt",
    architecture="BioGptForCausalLM",
    prefix="biogpt.",
    always={
        "qkv_bias": True,
        "attention.kind": "multi_head",
        "position.kind": "learned",
        "position.offset": 2,
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_position_embeddings", "context_length", 1024),
        Field("hidden_size", "emb_dim"),
        Field("num_hidden_layers", "n_layers"),
        Field("num_attention_heads", "n_heads"),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        Computed({"scale_embedding": True}, _read_scale, _write_scale),
        Field("hidden_act", "activation", "gelu", ACTIVATIONS),
        Dropout("hidden_dropout_prob", "attention_probs_dropout_prob", default=0.1),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={"layer_norm_eps", "activation_dropout", "layerdrop"},  # all norms have 1e-5, whatever it says
    tensors=[
        Same("biogpt.embed_tokens.weight", "token_table.weight"),
        Same("biogpt.embed_positions.weight", "position.table.weight"),
        *norm("biogpt.layers.{i}.self_attn_layer_norm", "blocks.{i}.attention_norm"),
        *linear("biogpt.layers.{i}.self_attn.q_proj", "blocks.{i}.attention.query"),
        *linear("biogpt.layers.{i}.self_attn.k_proj", "blocks.{i}.attention.key"),
        *linear("biogpt.layers.{i}.self_attn.v_proj", "blocks.{i}.attention.value"),
        *linear("biogpt.layers.{i}.self_attn.out_proj", "blocks.{i}.attention.output"),
        *norm("biogpt.layers.{i}.final_layer_norm", "blocks.{i}.feed_forward_norm"),
        *linear("biogpt.layers.{i}.fc1", "blocks.{i}.feed_forward.expand"),
        *linear("biogpt.layers.{i}.fc2", "blocks.{i}.feed_forward.output"),
        *norm("biogpt.layer_norm", "final_norm"),
        Same("output_projection.weight", "head.weight"),
    ],
)
