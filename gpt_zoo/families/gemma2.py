"""Gemma 2: Gemma Team 2024, arXiv:2408.00118."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Family,
    Field,
    Hub,
    KeyValueHeads,
    Meaning,
    Only,
    Ours,
    Rotary,
    SlidingLayers,
    alternating,
    norm,
)
from gpt_zoo.families.gemma import ALWAYS_GEMMA, SIZES_GEMMA
from gpt_zoo.families.llama import ATTENTION, BIASES, ENDS, FEED_FORWARD


def _read_scale(hub: Hub, ours: Ours) -> dict[str, Any]:
    return {"attention.scale": hub["query_pre_attn_scalar"] ** -0.5}


def _write_scale(ours: Meaning) -> dict[str, Any]:
    return {"query_pre_attn_scalar": round(ours["attention.scale"] ** -2)}


SCALE = Computed({"query_pre_attn_scalar": 256}, _read_scale, _write_scale)
SANDWICH = [
    *norm("model.layers.{i}.input_layernorm", "blocks.{i}.attention_norm"),
    *norm("model.layers.{i}.post_attention_layernorm", "blocks.{i}.attention_output_norm"),
    *norm("model.layers.{i}.pre_feedforward_layernorm", "blocks.{i}.feed_forward_norm"),
    *norm("model.layers.{i}.post_feedforward_layernorm", "blocks.{i}.feed_forward_output_norm"),
]

FAMILY = Family(
    model_type="gemma2",
    architecture="Gemma2ForCausalLM",
    always=ALWAYS_GEMMA | {"block.norm_placement": "sandwich"},
    config=[
        *SIZES_GEMMA,
        KeyValueHeads(default=4),
        Rotary(),
        SlidingLayers(default_window=4096, default_types=alternating),
        *BIASES,
        SCALE,
        Field("attn_logit_softcapping", "attention.softcap", 50.0),
        Field("final_logit_softcapping", "head.softcap", 30.0),
        Field("hidden_activation", "activation", "gelu_pytorch_tanh", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", True),
        Only("use_bidirectional_attention", None, False),
    ],
    ignored={"attention_dropout", "cache_implementation", "hidden_act", "sliding_window_size"},
    tensors=[*ENDS, *SANDWICH, *ATTENTION, *FEED_FORWARD],
)
