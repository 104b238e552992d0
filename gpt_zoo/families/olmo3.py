"""OLMo 3: OLMo Team 2025, arXiv:2512.13961."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, SlidingRotary
from gpt_zoo.families.llama import ATTENTION, BIASES, ENDS, FEED_FORWARD, QK_NORMS, SIZES
from gpt_zoo.families.olmo2 import ALWAYS_REORDERED, OUTPUT_NORMS

FAMILY = Family(
    model_type="olmo3",
    architecture="Olmo3ForCausalLM",
    always=ALWAYS_REORDERED,
    config=[
        *SIZES,
        KeyValueHeads(),
        SlidingRotary(base=500000.0, sliding_base=500000.0),
        *BIASES,
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *OUTPUT_NORMS, *ATTENTION, *QK_NORMS, *FEED_FORWARD],
)
