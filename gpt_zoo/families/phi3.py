"""Phi-3 and Phi-4 whose context is not stretched: Abdin et al. 2024, arXiv:2404.14219, arXiv:2412.08905."""

from gpt_zoo.families.family import (
    ACTIVATIONS,
    GATE_UP,
    QKV,
    Dropout,
    Family,
    Field,
    KeyValueHeads,
    Only,
    Rotary,
    Window,
    fused,
    linear,
)
from gpt_zoo.families.llama import ALWAYS, ENDS, NORMS, SIZES
from gpt_zoo.families.smollm3 import NO_PADDING

FAMILY = Family(
    model_type="phi3",
    architecture="Phi3ForCausalLM",
    always=ALWAYS,
    config=[
        *SIZES,
        KeyValueHeads(),
        Rotary(fraction="partial_rotary_factor", scaled=False),
        Window(),
        Only("attention_bias", False, written=False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Dropout("resid_pdrop", "embd_pdrop", "attention_dropout"),
        NO_PADDING,
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"original_max_position_embeddings"},
    tensors=[
        *ENDS,
        *NORMS,
        *fused("model.layers.{i}.self_attn.qkv_proj", QKV),
        *linear("model.layers.{i}.self_attn.o_proj", "blocks.{i}.attention.output"),
        *fused("model.layers.{i}.mlp.gate_up_proj", GATE_UP),
        *linear("model.layers.{i}.mlp.down_proj", "blocks.{i}.feed_forward.output"),
    ],
)
