"""Seed-OSS: ByteDance Seed 2025, https://github.com/ByteDance-Seed/seed-oss."""

from gpt_zoo.families.family import ACTIVATIONS, Dropout, Family, Field, KeyValueHeads, Rotary
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, NORMS, SHAPE

FAMILY = Family(
    model_type="seed_oss",
    architecture="SeedOssForCausalLM",
    always=ALWAYS,
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", 128),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        KeyValueHeads(default=8),
        Rotary(),
        Field("attention_bias", "qkv_bias", True),
        Field("attention_out_bias", "attention.out_bias", False),
        Field("mlp_bias", "feed_forward.bias", False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Dropout("residual_dropout", "attention_dropout", default=0.1),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"pretraining_tp"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
