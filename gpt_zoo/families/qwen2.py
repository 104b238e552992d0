"""Qwen1.5, Qwen2 and Qwen2.5: Yang et al. 2024, arXiv:2407.10671."""

from collections.abc import Sequence

from gpt_zoo.families.family import (
    ACTIVATIONS,
    FULL,
    SLIDING,
    Family,
    Field,
    Hub,
    KeyValueHeads,
    Rotary,
    SlidingLayers,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, NORMS, SIZES


def _default_types(hub: Hub, n_layers: int) -> Sequence[str]:
    """The first layers see all."""
    return [SLIDING if i >= hub["max_window_layers"] else FULL for i in range(n_layers)]


WINDOWS = SlidingLayers(
    switch="use_sliding_window",
    default_window=4096,
    default_types=_default_types,
    also=(("max_window_layers", 28),),
)

FAMILY = Family(
    model_type="qwen2",
    architecture="Qwen2ForCausalLM",
    always=ALWAYS | {"qkv_bias": True},
    config=[
        *SIZES,
        KeyValueHeads(default=32),
        Rotary(),
        WINDOWS,
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout", "use_mrope"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
