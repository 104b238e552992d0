"""GLM-4: Team GLM 2024, arXiv:2406.12793."""

from gpt_zoo.families.family import (
    ACTIVATIONS,
    GATE_UP,
    Family,
    Field,
    KeyValueHeads,
    Rotary,
    fused,
    linear,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, NORMS, SHAPE
from gpt_zoo.families.smollm3 import NO_PADDING

FAMILY = Family(
    model_type="glm",
    architecture="GlmForCausalLM",
    always=ALWAYS,
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", 128),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        KeyValueHeads(default=2),
        Rotary(fraction="partial_rotary_factor", default_fraction=0.5, interleaved=True),
        Field("attention_bias", "qkv_bias", True),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1.5625e-07),
        NO_PADDING,
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[
        *ENDS,
        *NORMS,
        *ATTENTION,
        *fused("model.layers.{i}.mlp.gate_up_proj", GATE_UP),
        *linear("model.layers.{i}.mlp.down_proj", "blocks.{i}.feed_forward.output"),
    ],
)
