"""Helium: Kyutai 2025, https://huggingface.co/kyutai/helium-1-2b."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Family,
    Field,
    Hub,
    KeyValueHeads,
    Meaning,
    Ours,
    Rotary,
    unsupported,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, NORMS, SHAPE


def _read_head_dim(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Heads are together as wide as the model."""
    fitting = ours["emb_dim"] / ours["n_heads"]
    if hub["head_dim"] != fitting:
        raise unsupported("head_dim", hub["head_dim"], [fitting])
    return {}


def _write_head_dim(ours: Meaning) -> dict[str, Any]:
    return {"head_dim": ours.config.emb_dim // ours.config.n_heads}


FAMILY = Family(
    model_type="helium",
    architecture="HeliumForCausalLM",
    always=ALWAYS,
    config=[
        *SHAPE,
        Computed({"head_dim": 128}, _read_head_dim, _write_head_dim),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        KeyValueHeads(default=20),
        Rotary(default_base=100000.0, interleaved=True),
        Field("attention_bias", "qkv_bias", False),
        Field("mlp_bias", "feed_forward.bias", False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-8),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
