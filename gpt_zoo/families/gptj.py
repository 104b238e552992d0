"""GPT-J: Wang and Komatsuzaki 2021."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Dropout,
    Family,
    Field,
    Hub,
    Meaning,
    Only,
    Ours,
    Same,
    linear,
    norm,
    unsupported,
)


def _read_rotary_dim(hub: Hub, ours: Ours) -> dict[str, Any]:
    turned = hub["rotary_dim"]
    if not isinstance(turned, int):
        raise unsupported("rotary_dim", turned, ["an even number"])
    return {"position.fraction": turned / (ours["emb_dim"] // ours["n_heads"])}


def _write_rotary_dim(ours: Meaning) -> dict[str, Any]:
    return {"rotary_dim": round(ours["position.fraction"] * (ours.config.emb_dim // ours.config.n_heads))}


ALWAYS = {
    "attention.kind": "multi_head",
    "attention.out_bias": False,
    "position.kind": "rotary",
    "position.interleaved": True,
    "norm.kind": "layer_norm",
    "feed_forward.kind": "plain",
    "block.kind": "parallel",
    "head.bias": True,
}
CONFIG = [
    Field("vocab_size", "vocab_size"),
    Field("n_positions", "context_length", 2048),
    Field("n_embd", "emb_dim"),
    Field("n_layer", "n_layers"),
    Field("n_head", "n_heads"),
    Field("n_inner", "feed_forward.hidden_dim", None),
    Computed({"rotary_dim": 64}, _read_rotary_dim, _write_rotary_dim),
    Field("activation_function", "activation", "gelu_new", ACTIVATIONS),
    Field("layer_norm_epsilon", "norm.eps", 1e-5),
    Dropout("resid_pdrop", "embd_pdrop", "attn_pdrop"),
    Field("tie_word_embeddings", "tie_embeddings", False),
    Only("scale_attn_weights", True),
]
IGNORED = {"n_ctx"}
ALL_BUT_QKV = [
    Same("transformer.wte.weight", "token_table.weight"),
    *norm("transformer.h.{i}.ln_1", "blocks.{i}.attention_norm"),
    *linear("transformer.h.{i}.attn.out_proj", "blocks.{i}.attention.output"),
    *linear("transformer.h.{i}.mlp.fc_in", "blocks.{i}.feed_forward.expand"),
    *linear("transformer.h.{i}.mlp.fc_out", "blocks.{i}.feed_forward.output"),
    *norm("transformer.ln_f", "final_norm"),
    *linear("lm_head", "head"),
]

FAMILY = Family(
    model_type="gptj",
    architecture="GPTJForCausalLM",
    prefix="transformer.",
    always=ALWAYS,
    config=[*CONFIG, Only("rotary", True)],
    ignored=IGNORED,
    tensors=[
        *ALL_BUT_QKV,
        *linear("transformer.h.{i}.attn.q_proj", "blocks.{i}.attention.query"),
        *linear("transformer.h.{i}.attn.k_proj", "blocks.{i}.attention.key"),
        *linear("transformer.h.{i}.attn.v_proj", "blocks.{i}.attention.value"),
    ],
    ignored_tensors=["transformer.h.*.attn.bias", "transformer.h.*.attn.masked_bias"],
)
