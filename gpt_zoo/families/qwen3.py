"""Qwen3: Yang et al. 2025, arXiv:2505.09388."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Rotary
from gpt_zoo.families.llama import ALWAYS, ATTENTION, BIASES, ENDS, FEED_FORWARD, NORMS, QK_NORMS, SHAPE
from gpt_zoo.families.qwen2 import WINDOWS

FAMILY = Family(
    model_type="qwen3",
    architecture="Qwen3ForCausalLM",
    always=ALWAYS | {"attention.qk_norm": "head"},
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", 128),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        KeyValueHeads(default=32),
        Rotary(),
        WINDOWS,
        *BIASES,
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *QK_NORMS, *FEED_FORWARD],
)
