"""Command R7B: Cohere 2024, https://huggingface.co/CohereLabs/c4ai-command-r7b-12-2024."""

from typing import Any

from gpt_zoo.families.cohere import ALWAYS, CONFIG, TENSORS
from gpt_zoo.families.family import (
    FULL,
    SLIDING,
    Computed,
    Family,
    Hub,
    Meaning,
    Only,
    Ours,
    Rotary,
    narrow,
    read_layer_types,
    unsupported,
)


def _read_layers(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Layers with the window know positions, the others do not."""
    n_layers, every = ours["n_layers"], hub["sliding_window_pattern"]
    usual = [FULL if i % every == 0 else SLIDING for i in range(1, n_layers + 1)]
    types = read_layer_types(hub["layer_types"] or usual, n_layers)
    if hub["sliding_window"] is None and SLIDING in types:
        raise unsupported("sliding_window", None, ["a number of tokens"])
    window = narrow(hub["sliding_window"], ours)
    sliding = {} if window is None else {"attention": {"window": window}}
    return {"layers": [sliding if kind == SLIDING else {"position": {"kind": "none"}} for kind in types]}


def _write_layers(ours: Meaning) -> dict[str, Any]:
    windows = [layer["attention"].get("window") for layer in ours.layers]
    positions = [layer["position"]["kind"] for layer in ours.layers]
    return {
        "sliding_window": next((window for window in windows if window), ours.config.context_length),
        "layer_types": [FULL if kind == "none" else SLIDING for kind in positions],
    }


FAMILY = Family(
    model_type="cohere2",
    architecture="Cohere2ForCausalLM",
    renamed={"layer_switch": "sliding_window_pattern"},
    always=ALWAYS,
    config=[
        *CONFIG,
        Rotary(interleaved=True),
        Computed(
            {"layer_types": None, "sliding_window": 4096, "sliding_window_pattern": 4},
            _read_layers,
            _write_layers,
        ),
        Only("order_of_interleaved_layers", "local_attn_first"),
        Only("position_embedding_type", "rope_gptj"),
        Only("rotary_pct", 1.0),
        Only("use_gated_activation", True),
        Only("use_parallel_block", True),
    ],
    ignored={"attention_dropout", "cache_implementation", "use_embedding_sharing", "use_parallel_embedding"},
    tensors=TENSORS,
)
