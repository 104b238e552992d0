"""Gemma: Gemma Team 2024, arXiv:2403.08295."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Only, Rotary
from gpt_zoo.families.llama import ALWAYS, ATTENTION, BIASES, ENDS, FEED_FORWARD, NORMS, SHAPE

ALWAYS_GEMMA = ALWAYS | {"norm.unit_offset": True, "embedding.multiplier": "sqrt_dim"}
SIZES_GEMMA = [
    *SHAPE,
    Field("head_dim", "attention.head_dim", 256),
    Field("intermediate_size", "feed_forward.hidden_dim"),
]

FAMILY = Family(
    model_type="gemma",
    architecture="GemmaForCausalLM",
    always=ALWAYS_GEMMA,
    config=[
        *SIZES_GEMMA,
        KeyValueHeads(default=16),
        Rotary(),
        *BIASES,
        # `gelu` was written where the approximation was meant
        Field("hidden_act", "activation", "gelu_pytorch_tanh", ACTIVATIONS | {"gelu": "gelu_tanh"}),
        Only("hidden_activation", None, "gelu_pytorch_tanh", written=False),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", True),
        Only("use_bidirectional_attention", None, False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
