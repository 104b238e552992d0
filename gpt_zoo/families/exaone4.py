"""EXAONE 4.0: LG AI Research 2025, arXiv:2507.11407."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    FULL,
    SLIDING,
    Computed,
    Family,
    Field,
    Hub,
    KeyValueHeads,
    Meaning,
    Ours,
    Rotary,
    narrow,
    read_layer_types,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, QK_NORMS, SIZES
from gpt_zoo.families.olmo2 import OUTPUT_NORMS


def _read_layers(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Where there is a window, layers without it know no positions."""
    if hub["sliding_window"] is None:
        return {}
    pattern = hub["sliding_window_pattern"]
    letters = pattern if isinstance(pattern, str) else "L" * (pattern - 1) + "G"
    usual = [FULL if letters[i % len(letters)] == "G" else SLIDING for i in range(ours["n_layers"])]
    types = read_layer_types(hub["layer_types"] or usual, ours["n_layers"])
    sliding = {"attention": {"window": narrow(hub["sliding_window"], ours)}}
    full = {"position": {"kind": "none"}}
    return {"layers": [sliding if kind == SLIDING else full for kind in types]}


def _write_layers(ours: Meaning) -> dict[str, Any]:
    kinds = [layer["position"]["kind"] for layer in ours.layers]
    window = next(
        (layer["attention"]["window"] for layer in ours.layers if layer["attention"]["window"]), None
    )
    if window is None and "none" not in kinds:
        return {"sliding_window": None, "layer_types": [FULL for _ in kinds]}
    return {
        "sliding_window": window or ours.config.context_length,
        "layer_types": [FULL if kind == "none" else SLIDING for kind in kinds],
    }


FAMILY = Family(
    model_type="exaone4",
    architecture="Exaone4ForCausalLM",
    always=ALWAYS | {"block.norm_placement": "reordered", "attention.qk_norm": "head"},
    config=[
        *SIZES,
        KeyValueHeads(default=32),
        Rotary(),
        Computed(
            {"sliding_window": 4096, "sliding_window_pattern": 4, "layer_types": None},
            _read_layers,
            _write_layers,
        ),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *OUTPUT_NORMS, *ATTENTION, *QK_NORMS, *FEED_FORWARD],
)
