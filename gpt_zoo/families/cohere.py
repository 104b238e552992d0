"""Command R: Cohere 2024, https://huggingface.co/CohereLabs/c4ai-command-r-v01."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Only, Rotary, norm
from gpt_zoo.families.llama import ATTENTION, ENDS, FEED_FORWARD, SIZES

ALWAYS = {
    "norm.kind": "layer_norm",
    "norm.bias": False,
    "feed_forward.kind": "gated",
    "block.kind": "parallel",
}
CONFIG = [
    *SIZES,
    KeyValueHeads(),
    Field("hidden_act", "activation", "silu", ACTIVATIONS),
    Field("layer_norm_eps", "norm.eps", 1e-5),
    Field("attention_bias", "qkv_bias", False),
    Field("attention_bias", "attention.out_bias", False),
    Field("logit_scale", "head.multiplier", 0.0625),
    Field("tie_word_embeddings", "tie_embeddings", True),
]
TENSORS = [
    *ENDS,
    *norm("model.layers.{i}.input_layernorm", "blocks.{i}.attention_norm"),
    *ATTENTION,
    *FEED_FORWARD,
]

FAMILY = Family(
    model_type="cohere",
    architecture="CohereForCausalLM",
    always=ALWAYS,
    config=[
        *CONFIG,
        Rotary(default_base=500000.0, interleaved=True),
        Only("use_qk_norm", False),  # each head has its own scale there
    ],
    ignored={"attention_dropout", "model_max_length"},
    tensors=TENSORS,
)
