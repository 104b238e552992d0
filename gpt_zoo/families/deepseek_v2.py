"""DeepSeek-V2: DeepSeek-AI 2024, arXiv:2405.04434."""

import math
from dataclasses import dataclass
from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Family,
    Field,
    Hub,
    Meaning,
    Only,
    Ours,
    Rotary,
    linear,
    norm,
    unsupported,
    yarn_temperature,
)
from gpt_zoo.families.llama import ENDS, FEED_FORWARD, NORMS, SHAPE
from gpt_zoo.families.qwen2_moe import ALWAYS_EXPERTS, EXPERTS, ROUTER, dense_where


@dataclass(frozen=True)
class ScalingRotary(Rotary):
    """Rotary positions whose `mscale_all_dim` is a factor of the scores too. Stands below the attention."""

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The position, and the scale of the scores."""
        read, parameters = super().read(hub, ours), self.parameters(hub)
        all_dim = parameters.get("mscale_all_dim")
        if all_dim and "position.scaling" in read:
            temperature = yarn_temperature(parameters["factor"], all_dim)
            size = ours["attention.head_dim"] + ours["attention.rope_head_dim"]
            read["attention.scale"] = temperature**2 / math.sqrt(size)
        return read

    def write(self, ours: Meaning) -> dict[str, Any]:
        """Both spellings, with the scales that give the factors of queries, keys and scores."""
        written = super().write(ours)
        scaling = ours.component("position").get("scaling") or {}
        size = ours["attention.head_dim"] + ours["attention.rope_head_dim"]
        temperature = math.sqrt(ours["attention.scale"] * math.sqrt(size))
        if scaling.get("kind") == "yarn" and scaling["factor"] > 1 and not math.isclose(temperature, 1):
            tenth = 0.1 * math.log(scaling["factor"])
            scales = {
                "mscale": (scaling["attention_factor"] * temperature - 1) / tenth,
                "mscale_all_dim": (temperature - 1) / tenth,
            }
            written["rope_parameters"] |= scales
            written["rope_scaling"] |= scales
        return written


def _read_heads(hub: Hub, ours: Ours) -> dict[str, Any]:
    if hub["num_key_value_heads"] not in (None, ours["n_heads"]):
        raise unsupported("num_key_value_heads", hub["num_key_value_heads"], [None, ours["n_heads"]])
    return {}


def _write_heads(ours: Meaning) -> dict[str, Any]:
    return {"num_key_value_heads": ours.config.n_heads}


def _read_biases(hub: Hub, ours: Ours) -> dict[str, Any]:
    """Queries have one only where they are compressed."""
    if hub["attention_bias"] and hub["q_lora_rank"] is None:
        raise unsupported("attention_bias", hub["attention_bias"], [False])
    return {"qkv_bias": hub["attention_bias"], "attention.out_bias": hub["attention_bias"]}


def _write_biases(ours: Meaning) -> dict[str, Any]:
    return {"attention_bias": ours["attention.out_bias"]}


def _read_shared(hub: Hub, ours: Ours) -> dict[str, Any]:
    """The shared experts are one that is as wide as all of them."""
    return {"feed_forward.shared.hidden_dim": hub["n_shared_experts"] * hub["moe_intermediate_size"]}


def _write_shared(ours: Meaning) -> dict[str, Any]:
    each = ours["feed_forward.expert.hidden_dim"]
    return {"n_shared_experts": max(1, ours.get("feed_forward.shared.hidden_dim", each) // each)}


def _read_dense(hub: Hub, ours: Ours) -> dict[str, Any]:
    """The first layers have no experts."""
    return dense_where([i < hub["first_k_dense_replace"] for i in range(ours["n_layers"])], hub)


def _write_dense(ours: Meaning) -> dict[str, Any]:
    parts = [layer["feed_forward"] for layer in ours.layers]
    dense = [part["hidden_dim"] for part in parts if part["kind"] == "gated"]
    return {"first_k_dense_replace": len(dense), **({"intermediate_size": dense[0]} if dense else {})}


FAMILY = Family(
    model_type="deepseek_v2",
    architecture="DeepseekV2ForCausalLM",
    always=ALWAYS_EXPERTS
    | {
        "attention.kind": "latent",
        "feed_forward.normalize_weights": False,
        "feed_forward.shared.kind": "gated",
    },
    config=[
        *SHAPE,
        Computed({"num_key_value_heads": None}, _read_heads, _write_heads),
        Field("q_lora_rank", "attention.query_rank", 1536),
        Field("kv_lora_rank", "attention.kv_rank", 512),
        Field("qk_nope_head_dim", "attention.head_dim", 128),
        Field("qk_rope_head_dim", "attention.rope_head_dim", 64),
        Field("v_head_dim", "attention.value_head_dim", 128),
        ScalingRotary(interleaved=True),
        Computed({"attention_bias": False}, _read_biases, _write_biases),
        Field("n_routed_experts", "feed_forward.n_experts", 64),
        Field("num_experts_per_tok", "feed_forward.n_experts_per_token"),
        Field("routed_scaling_factor", "feed_forward.weight_scale", 1.0),
        Field("moe_intermediate_size", "feed_forward.expert.hidden_dim"),
        Computed({"n_shared_experts": 2}, _read_shared, _write_shared),
        Computed({"first_k_dense_replace": 0, "intermediate_size": 11008}, _read_dense, _write_dense),
        Only("topk_method", "greedy"),
        Only("norm_topk_prob", False),
        Only("scoring_func", "softmax", written=False),
        Only("moe_layer_freq", 1, written=False),
        Only("mlp_bias", False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        # The norms of what is compressed have this one whatever is given
        Field("rms_norm_eps", "norm.eps", 1e-6, {1e-6: 1e-6}),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={
        *("attention_dropout", "pretraining_tp", "ep_size", "aux_loss_alpha", "seq_aux"),
        *("output_router_logits", "router_aux_loss_coef"),
        *("n_group", "topk_group"),  # of another `topk_method`
        *("head_dim", "qk_head_dim"),  # follow from the others
    },
    renamed={"num_experts": "n_routed_experts"},
    tensors=[
        *ENDS,
        *NORMS,
        *linear("model.layers.{i}.self_attn.q_proj", "blocks.{i}.attention.query"),
        *linear("model.layers.{i}.self_attn.q_a_proj", "blocks.{i}.attention.query_down"),
        *norm("model.layers.{i}.self_attn.q_a_layernorm", "blocks.{i}.attention.query_down_norm"),
        *linear("model.layers.{i}.self_attn.q_b_proj", "blocks.{i}.attention.query_up"),
        *linear("model.layers.{i}.self_attn.kv_a_proj_with_mqa", "blocks.{i}.attention.kv_down"),
        *norm("model.layers.{i}.self_attn.kv_a_layernorm", "blocks.{i}.attention.kv_down_norm"),
        *linear("model.layers.{i}.self_attn.kv_b_proj", "blocks.{i}.attention.kv_up"),
        *linear("model.layers.{i}.self_attn.o_proj", "blocks.{i}.attention.output"),
        *FEED_FORWARD,
        *ROUTER,
        *EXPERTS,
        *linear("model.layers.{i}.mlp.shared_experts.gate_proj", "blocks.{i}.feed_forward.shared.gate"),
        *linear("model.layers.{i}.mlp.shared_experts.up_proj", "blocks.{i}.feed_forward.shared.expand"),
        *linear("model.layers.{i}.mlp.shared_experts.down_proj", "blocks.{i}.feed_forward.shared.output"),
    ],
)
