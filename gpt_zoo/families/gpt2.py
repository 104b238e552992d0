"""GPT-2: Radford et al. 2019; and what is built like it, such as DistilGPT2."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    QKV,
    Computed,
    Dropout,
    Family,
    Field,
    Hub,
    Meaning,
    Only,
    Ours,
    Same,
    fused,
    linear,
    norm,
)


def _read_scale(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Scores may be left as they are, and be divided by the number of their layer, from 1."""
    head_dim, n_layers = ours["emb_dim"] // ours["n_heads"], ours["n_layers"]
    scale = head_dim**-0.5 if hub["scale_attn_weights"] else 1.0
    if hub["scale_attn_by_inverse_layer_idx"]:
        return {"layers": [{"attention": {"scale": scale / (i + 1)}} for i in range(n_layers)]}
    return {} if hub["scale_attn_weights"] else {"attention.scale": scale}


def _write_scale(ours: Meaning) -> dict[str, Any]:
    first, last = (ours.layers[i]["attention"]["scale"] for i in (0, -1))
    return {"scale_attn_weights": first != 1.0, "scale_attn_by_inverse_layer_idx": last != first}


FAMILY = Family(
    model_type="gpt2",
    architecture="GPT2LMHeadModel",
    prefix="transformer.",
    always={
        "qkv_bias": True,
        "attention.kind": "multi_head",
        "position.kind": "learned",
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("n_positions", "context_length", 1024),
        Field("n_embd", "emb_dim"),
        Field("n_layer", "n_layers"),
        Field("n_head", "n_heads"),
        Field("n_inner", "feed_forward.hidden_dim", None),
        Field("activation_function", "activation", "gelu_new", ACTIVATIONS),
        Field("layer_norm_epsilon", "norm.eps", 1e-5),
        Dropout("resid_pdrop", "embd_pdrop", "attn_pdrop", default=0.1),
        Computed(
            {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False}, _read_scale, _write_scale
        ),
        Only("reorder_and_upcast_attn", False, True),  # another order of the same
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={"n_ctx", "n_special", "predict_special_tokens"},
    tensors=[
        Same("transformer.wte.weight", "token_table.weight"),
        Same("transformer.wpe.weight", "position.table.weight"),
        *norm("transformer.h.{i}.ln_1", "blocks.{i}.attention_norm"),
        *fused("transformer.h.{i}.attn.c_attn", QKV, transposed=True),
        *linear("transformer.h.{i}.attn.c_proj", "blocks.{i}.attention.output", transposed=True),
        *norm("transformer.h.{i}.ln_2", "blocks.{i}.feed_forward_norm"),
        *linear("transformer.h.{i}.mlp.c_fc", "blocks.{i}.feed_forward.expand", transposed=True),
        *linear("transformer.h.{i}.mlp.c_proj", "blocks.{i}.feed_forward.output", transposed=True),
        *norm("transformer.ln_f", "final_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
    ignored_tensors=["transformer.h.*.attn.bias", "transformer.h.*.attn.masked_bias"],
)
