"""GPT-Neo: Black et al. 2021; and TinyStories: Eldan and Li 2023, arXiv:2305.07759."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Dropout,
    Family,
    Field,
    Hub,
    HubError,
    Meaning,
    Ours,
    Same,
    linear,
    narrow,
    norm,
    unsupported,
)

GLOBAL, LOCAL = "global", "local"


def _read_layers(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Which layers have the window: `attention_types` has lists of them, each with how often it comes."""
    groups, n_layers = hub["attention_types"] or [[[GLOBAL, LOCAL], 12]], ours["n_layers"]
    if (number := sum(len(kinds) * times for kinds, times in groups)) != n_layers:
        raise HubError(f"`attention_types` is for {number} layers, but there are {n_layers}")
    types = [kind for kinds, times in groups for kind in kinds * times]
    if hub["attention_layers"] not in (None, types):
        raise HubError("`attention_layers` differs from what `attention_types` says")
    for kind in types:
        if kind not in (GLOBAL, LOCAL):
            raise unsupported("attention_types", kind, (GLOBAL, LOCAL))
    window = narrow(hub["window_size"], ours)
    if window is None:
        return {}
    return {"layers": [{"attention": {"window": window}} if kind == LOCAL else {} for kind in types]}


def _write_layers(ours: Meaning) -> dict[str, Any]:
    windows = [layer["attention"].get("window") for layer in ours.layers]
    return {
        "attention_types": [[[LOCAL if window else GLOBAL for window in windows], 1]],
        "window_size": next((window for window in windows if window), 256),
    }


FAMILY = Family(
    model_type="gpt_neo",
    architecture="GPTNeoForCausalLM",
    prefix="transformer.",
    always={
        "attention.kind": "multi_head",
        "attention.scale": 1.0,
        "position.kind": "learned",
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_position_embeddings", "context_length", 2048),
        Field("hidden_size", "emb_dim"),
        Field("num_layers", "n_layers"),
        Field("num_heads", "n_heads"),
        Field("intermediate_size", "feed_forward.hidden_dim", None),
        Computed(
            {"attention_types": None, "attention_layers": None, "window_size": 256},
            _read_layers,
            _write_layers,
        ),
        Field("activation_function", "activation", "gelu_new", ACTIVATIONS),
        Field("layer_norm_epsilon", "norm.eps", 1e-5),
        Dropout("resid_dropout", "embed_dropout", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    tensors=[
        Same("transformer.wte.weight", "token_table.weight"),
        Same("transformer.wpe.weight", "position.table.weight"),
        *norm("transformer.h.{i}.ln_1", "blocks.{i}.attention_norm"),
        *linear("transformer.h.{i}.attn.attention.q_proj", "blocks.{i}.attention.query"),
        *linear("transformer.h.{i}.attn.attention.k_proj", "blocks.{i}.attention.key"),
        *linear("transformer.h.{i}.attn.attention.v_proj", "blocks.{i}.attention.value"),
        *linear("transformer.h.{i}.attn.attention.out_proj", "blocks.{i}.attention.output"),
        *norm("transformer.h.{i}.ln_2", "blocks.{i}.feed_forward_norm"),
        *linear("transformer.h.{i}.mlp.c_fc", "blocks.{i}.feed_forward.expand"),
        *linear("transformer.h.{i}.mlp.c_proj", "blocks.{i}.feed_forward.output"),
        *norm("transformer.ln_f", "final_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
    ignored_tensors=["transformer.h.*.attn.attention.bias", "transformer.h.*.attn.attention.masked_bias"],
)
