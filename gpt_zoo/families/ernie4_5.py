"""ERNIE 4.5 without experts: Baidu 2025, "ERNIE 4.5 Technical Report"."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Rotary
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, NORMS, SHAPE

FAMILY = Family(
    model_type="ernie4_5",
    architecture="Ernie4_5ForCausalLM",
    always=ALWAYS,
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", 128),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        KeyValueHeads(default=2),
        Rotary(default_base=500000.0, interleaved=True),
        Field("use_bias", "qkv_bias", False),
        Field("use_bias", "attention.out_bias", False),
        Field("use_bias", "feed_forward.bias", False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
