"""SmolLM3: Bakouch et al. 2025."""

from collections.abc import Sequence
from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    FULL,
    SLIDING,
    Computed,
    Family,
    Field,
    Hub,
    HubError,
    KeyValueHeads,
    Meaning,
    Ours,
    Rotary,
    SlidingLayers,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, BIASES, ENDS, FEED_FORWARD, NORMS, SIZES


def _turned(hub: Hub, n_layers: int) -> Sequence[int]:
    """Of each layer, whether it has positions, by a field that is named for the opposite."""
    turned = hub["no_rope_layers"]
    if turned is None:
        return [int((i + 1) % hub["no_rope_layer_interval"] != 0) for i in range(n_layers)]
    if not isinstance(turned, list) or len(turned) != n_layers:
        raise HubError(f"`no_rope_layers` must have one entry for each of the {n_layers} layers")
    return turned


def _default_types(hub: Hub, n_layers: int) -> Sequence[str]:
    """Layers without positions have the window."""
    return [FULL if turned else SLIDING for turned in _turned(hub, n_layers)]


def _read_positions(hub: Hub, ours: Ours) -> dict[str, Any]:
    turned = _turned(hub, ours["n_layers"])
    return {"layers": [{} if turns else {"position": {"kind": "none"}} for turns in turned]}


def _write_positions(ours: Meaning) -> dict[str, Any]:
    return {"no_rope_layers": [int(layer["position"]["kind"] == "rotary") for layer in ours.layers]}


NO_PADDING = Computed({}, lambda hub, ours: {}, lambda ours: {"pad_token_id": None})
"""For a `transformers` class whose own default may lie beyond the vocabulary, which then cannot be built."""

FAMILY = Family(
    model_type="smollm3",
    architecture="SmolLM3ForCausalLM",
    always=ALWAYS,
    config=[
        *SIZES,
        KeyValueHeads(default=4),
        Rotary(default_base=2e6),
        Computed({"no_rope_layers": None, "no_rope_layer_interval": 4}, _read_positions, _write_positions),
        SlidingLayers(switch="use_sliding_window", default_types=_default_types),
        *BIASES,
        NO_PADDING,
        Field("mlp_bias", "feed_forward.bias", False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={"attention_dropout", "max_window_layers", "pretraining_tp"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
