"""OLMo 2: OLMo Team 2024, arXiv:2501.00656."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Rotary, norm
from gpt_zoo.families.llama import ALWAYS, ATTENTION, BIASES, ENDS, FEED_FORWARD, QK_NORMS, SIZES

ALWAYS_REORDERED = ALWAYS | {"block.norm_placement": "reordered", "attention.qk_norm": "width"}
OUTPUT_NORMS = [
    *norm("model.layers.{i}.post_attention_layernorm", "blocks.{i}.attention_output_norm"),
    *norm("model.layers.{i}.post_feedforward_layernorm", "blocks.{i}.feed_forward_output_norm"),
]

FAMILY = Family(
    model_type="olmo2",
    architecture="Olmo2ForCausalLM",
    always=ALWAYS_REORDERED,
    config=[
        *SIZES,
        KeyValueHeads(),
        Rotary(),
        *BIASES,
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *OUTPUT_NORMS, *ATTENTION, *QK_NORMS, *FEED_FORWARD],
)
