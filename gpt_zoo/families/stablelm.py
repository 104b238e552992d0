"""StableLM: Bellagente et al. 2024, arXiv:2402.17834."""

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Dropout,
    Family,
    Field,
    KeyValueHeads,
    Only,
    Rotary,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, NORMS, SHAPE

FAMILY = Family(
    model_type="stablelm",
    architecture="StableLmForCausalLM",
    always=ALWAYS | {"norm.kind": "layer_norm"},
    config=[
        *SHAPE,
        Field("intermediate_size", "feed_forward.hidden_dim"),
        KeyValueHeads(default=32),
        Rotary(fraction="partial_rotary_factor", default_fraction=0.25),
        Field("use_parallel_residual", "block.kind", False, {False: "sequential", True: "parallel"}),
        Field("use_qkv_bias", "qkv_bias", False),
        Only("qk_layernorm", False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("layer_norm_eps", "norm.eps", 1e-5),
        Dropout("hidden_dropout", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
