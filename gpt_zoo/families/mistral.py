"""Mistral 7B: Jiang et al. 2023, arXiv:2310.06825."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Rotary, Window
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, NORMS, SIZES

FAMILY = Family(
    model_type="mistral",
    architecture="MistralForCausalLM",
    always=ALWAYS,
    config=[
        *SIZES,
        KeyValueHeads(default=8),
        Rotary(),
        Window(default=4096),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
