"""Qwen1.5-MoE and Qwen2-57B-A14B: Yang et al. 2024, arXiv:2407.10671."""

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
    KeyValueHeads,
    Meaning,
    Ours,
    Rotary,
    SlidingLayers,
    linear,
    unsupported,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, FEED_FORWARD, NORMS, SHAPE


def _default_types(hub: Hub, n_layers: int) -> Sequence[str]:
    """Every other layer has the window, up to one."""
    return [SLIDING if i % 2 == 0 and i < hub["max_window_layers"] else FULL for i in range(n_layers)]


def dense_where(dense: Sequence[bool], hub: Hub) -> dict[str, Any]:
    """The layers of which some have a single network in the place of experts."""
    if any(dense) and hub["intermediate_size"] is None:
        raise unsupported("intermediate_size", None, ["a number"])
    part = {"feed_forward": {"kind": "gated", "hidden_dim": hub["intermediate_size"]}}
    return {"layers": [part if is_dense else {} for is_dense in dense]}


def _read_dense(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Layers without experts: those that are named, and all but every so many."""
    named, step = hub["mlp_only_layers"] or [], hub["decoder_sparse_step"]
    return dense_where([i in named or (i + 1) % step != 0 for i in range(ours["n_layers"])], hub)


def _write_dense(ours: Meaning) -> dict[str, Any]:
    parts = [layer["feed_forward"] for layer in ours.layers]
    dense = [i for i, part in enumerate(parts) if part["kind"] == "gated"]
    sizes = {"intermediate_size": parts[dense[0]]["hidden_dim"]} if dense else {}
    return {"mlp_only_layers": dense, "decoder_sparse_step": 1, **sizes}


def dense_layers(size: int) -> Computed:
    """The row of layers without experts, with the hidden size where none is given."""
    fields = {"mlp_only_layers": None, "decoder_sparse_step": 1, "intermediate_size": size}
    return Computed(fields, _read_dense, _write_dense)


ALWAYS_EXPERTS = ALWAYS | {
    "feed_forward.kind": "mixture_of_experts",
    "feed_forward.expert.kind": "gated",
}
ROUTER = [
    *linear("model.layers.{i}.mlp.gate", "blocks.{i}.feed_forward.router"),
]
EXPERTS = [
    *linear("model.layers.{i}.mlp.experts.{e}.gate_proj", "blocks.{i}.feed_forward.experts.{e}.gate"),
    *linear("model.layers.{i}.mlp.experts.{e}.up_proj", "blocks.{i}.feed_forward.experts.{e}.expand"),
    *linear("model.layers.{i}.mlp.experts.{e}.down_proj", "blocks.{i}.feed_forward.experts.{e}.output"),
]

FAMILY = Family(
    model_type="qwen2_moe",
    architecture="Qwen2MoeForCausalLM",
    always=ALWAYS_EXPERTS | {"feed_forward.shared.kind": "gated", "feed_forward.shared_gate": True},
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", None),
        KeyValueHeads(default=16),
        Rotary(),
        SlidingLayers(
            switch="use_sliding_window",
            default_window=4096,
            default_types=_default_types,
            also=(("max_window_layers", 28),),
        ),
        Field("qkv_bias", "qkv_bias", True),
        Field("num_experts", "feed_forward.n_experts", 60),
        Field("num_experts_per_tok", "feed_forward.n_experts_per_token", 4),
        Field("norm_topk_prob", "feed_forward.normalize_weights", False),
        Field("moe_intermediate_size", "feed_forward.expert.hidden_dim"),
        Field("shared_expert_intermediate_size", "feed_forward.shared.hidden_dim"),
        dense_layers(size=5632),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout", "output_router_logits", "router_aux_loss_coef"},
    tensors=[
        *ENDS,
        *NORMS,
        *ATTENTION,
        *FEED_FORWARD,
        *ROUTER,
        *EXPERTS,
        *linear("model.layers.{i}.mlp.shared_expert.gate_proj", "blocks.{i}.feed_forward.shared.gate"),
        *linear("model.layers.{i}.mlp.shared_expert.up_proj", "blocks.{i}.feed_forward.shared.expand"),
        *linear("model.layers.{i}.mlp.shared_expert.down_proj", "blocks.{i}.feed_forward.shared.output"),
        *linear("model.layers.{i}.mlp.shared_expert_gate", "blocks.{i}.feed_forward.shared_gate"),
    ],
)
