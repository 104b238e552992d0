"""OPT: Zhang et al. 2022, arXiv:2205.01068."""

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


def _read_norms(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Norms after the sums, as in OPT-350m, leave none before the head."""
    before = hub["do_layer_norm_before"]
    return {
        "block.norm_placement": "pre" if before else "post",
        "final_norm": before and not hub["_remove_final_layer_norm"],
    }


def _write_norms(ours: Meaning) -> dict[str, Any]:
    before = ours["block.norm_placement"] == "pre"
    return {"do_layer_norm_before": before, "_remove_final_layer_norm": before and not ours["final_norm"]}


def _read_table_width(hub: Hub, ours: Ours) -> dict[str, Any]:
    width = hub["word_embed_proj_dim"]
    return {} if width in (None, ours["emb_dim"]) else {"embedding.dim": width, "head.dim": width}


def _write_table_width(ours: Meaning) -> dict[str, Any]:
    return {"word_embed_proj_dim": ours["embedding.dim"]}


FAMILY = Family(
    model_type="opt",
    architecture="OPTForCausalLM",
    always={
        "attention.kind": "multi_head",
        "position.kind": "learned",
        "position.offset": 2,
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_position_embeddings", "context_length", 2048),
        Field("hidden_size", "emb_dim"),
        Field("num_hidden_layers", "n_layers"),
        Field("num_attention_heads", "n_heads"),
        Field("ffn_dim", "feed_forward.hidden_dim"),
        Computed({"word_embed_proj_dim": None}, _read_table_width, _write_table_width),
        Field("activation_function", "activation", "relu", ACTIVATIONS),
        Computed(
            {"do_layer_norm_before": True, "_remove_final_layer_norm": False}, _read_norms, _write_norms
        ),
        Field("layer_norm_elementwise_affine", "norm.weight", True),
        Field("layer_norm_elementwise_affine", "norm.bias", True),
        Field("enable_bias", "qkv_bias", True),
        Field("enable_bias", "attention.out_bias", True),
        Field("enable_bias", "feed_forward.bias", True),
        Dropout("dropout", default=0.1),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={"attention_dropout", "activation_dropout", "layerdrop", "init_std"},
    tensors=[
        Same("model.decoder.embed_tokens.weight", "token_table.weight"),
        Same("model.decoder.project_in.weight", "token_table.projection.weight"),
        Same("model.decoder.embed_positions.weight", "position.table.weight"),
        *norm("model.decoder.layers.{i}.self_attn_layer_norm", "blocks.{i}.attention_norm"),
        *linear("model.decoder.layers.{i}.self_attn.q_proj", "blocks.{i}.attention.query"),
        *linear("model.decoder.layers.{i}.self_attn.k_proj", "blocks.{i}.attention.key"),
        *linear("model.decoder.layers.{i}.self_attn.v_proj", "blocks.{i}.attention.value"),
        *linear("model.decoder.layers.{i}.self_attn.out_proj", "blocks.{i}.attention.output"),
        *norm("model.decoder.layers.{i}.final_layer_norm", "blocks.{i}.feed_forward_norm"),
        *linear("model.decoder.layers.{i}.fc1", "blocks.{i}.feed_forward.expand"),
        *linear("model.decoder.layers.{i}.fc2", "blocks.{i}.feed_forward.output"),
        *norm("model.decoder.final_layer_norm", "final_norm"),
        Same("model.decoder.project_out.weight", "head.projection.weight"),
        Same("lm_head.weight", "head.weight"),
    ],
    ignored_tensors=["model.decoder.version"],
)
