"""OLMo: Groeneveld et al. 2024, arXiv:2402.00838."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Rotary
from gpt_zoo.families.llama import ALWAYS, ATTENTION, BIASES, ENDS, FEED_FORWARD, SIZES

FAMILY = Family(
    model_type="olmo",
    architecture="OlmoForCausalLM",
    always=ALWAYS | {"norm.kind": "layer_norm", "norm.weight": False, "norm.bias": False, "norm.eps": 1e-5},
    config=[
        *SIZES,
        KeyValueHeads(),
        Rotary(),
        *BIASES,
        Field("clip_qkv", "attention.clip", None),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *ATTENTION, *FEED_FORWARD],
)
