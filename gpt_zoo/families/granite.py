"""Granite: Stallone et al. 2024, arXiv:2407.13739; Granite Team, IBM 2024, "Granite 3.0 Language Models"."""

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
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, BIASES, ENDS, FEED_FORWARD, NORMS, SIZES


def _read_logits(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Logits are divided there, multiplied here."""
    return {"head.multiplier": 1 / hub["logits_scaling"]}


def _write_logits(ours: Meaning) -> dict[str, Any]:
    return {"logits_scaling": 1 / ours["head.multiplier"]}


FAMILY = Family(
    model_type="granite",
    architecture="GraniteForCausalLM",
    always=ALWAYS,
    config=[
        *SIZES,
        KeyValueHeads(),
        Rotary(),
        *BIASES,
        Field("mlp_bias", "feed_forward.bias", False),
        Field("embedding_multiplier", "embedding.multiplier", 1.0),
        Field("attention_multiplier", "attention.scale", 1.0),
        Field("residual_multiplier", "block.residual_multiplier", 1.0),
        Computed({"logits_scaling": 1.0}, _read_logits, _write_logits),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
