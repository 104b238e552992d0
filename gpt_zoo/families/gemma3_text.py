"""Gemma 3, where it reads text alone: Gemma Team 2025, arXiv:2503.19786."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Only, SlidingRotary
from gpt_zoo.families.gemma import ALWAYS_GEMMA, SIZES_GEMMA
from gpt_zoo.families.gemma2 import SANDWICH, SCALE
from gpt_zoo.families.llama import ATTENTION, BIASES, ENDS, FEED_FORWARD, QK_NORMS

FAMILY = Family(
    model_type="gemma3_text",
    architecture="Gemma3ForCausalLM",
    always=ALWAYS_GEMMA | {"block.norm_placement": "sandwich", "attention.qk_norm": "head"},
    config=[
        *SIZES_GEMMA,
        KeyValueHeads(default=4),
        SlidingRotary(
            base=1e6,
            sliding_base=10000.0,
            old_sliding_base="rope_local_base_freq",
            pattern=6,
            patterns=("sliding_window_pattern", "_sliding_window_pattern"),
        ),
        *BIASES,
        SCALE,
        Only("attn_logit_softcapping", None),
        Field("final_logit_softcapping", "head.softcap", None),
        Field("hidden_activation", "activation", "gelu_pytorch_tanh", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", True),
        Only("use_bidirectional_attention", False, None),
    ],
    ignored={"attention_dropout", "cache_implementation", "hidden_act"},
    tensors=[*ENDS, *SANDWICH, *ATTENTION, *QK_NORMS, *FEED_FORWARD],
)
