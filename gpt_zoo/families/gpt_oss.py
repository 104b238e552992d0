"""gpt-oss, with weights that are not quantised: OpenAI 2025, arXiv:2508.10925."""

from gpt_zoo.families.family import (
    Family,
    Field,
    Fused,
    KeyValueHeads,
    Only,
    Rotary,
    Same,
    SlidingLayers,
    Stacked,
    Transposed,
    alternating,
    linear,
)
from gpt_zoo.families.llama import ATTENTION, ENDS, NORMS, SHAPE
from gpt_zoo.families.qwen2_moe import ALWAYS_EXPERTS

_GATE, _EXPAND, _OUTPUT = (
    f"blocks.{{i}}.feed_forward.experts.{{e}}.{name}" for name in ("gate", "expand", "output")
)
_YARN = {
    "rope_type": "yarn",
    "factor": 32.0,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "truncate": False,
    "original_max_position_embeddings": 4096,
}


FAMILY = Family(
    model_type="gpt_oss",
    architecture="GptOssForCausalLM",
    always=ALWAYS_EXPERTS
    | {
        "activation": "gelu_quick",  # whatever `hidden_act` says
        "attention.sinks": True,
        "feed_forward.normalize_weights": True,
        "feed_forward.router_bias": True,
        "feed_forward.expert.bias": True,
        "feed_forward.expert.linear_offset": 1.0,
    },
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", 64),
        KeyValueHeads(default=8),
        Rotary(default_base=150000.0, default=_YARN),
        SlidingLayers(default_window=128, default_types=alternating),
        Field("attention_bias", "qkv_bias", True),
        Field("attention_bias", "attention.out_bias", True),
        Field("num_local_experts", "feed_forward.n_experts", 128),
        Field("num_experts_per_tok", "feed_forward.n_experts_per_token", 4),
        Field("intermediate_size", "feed_forward.expert.hidden_dim"),
        Field("swiglu_limit", "feed_forward.expert.limit", 7.0),
        Only("swiglu_alpha", 1.702),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={
        "attention_dropout",
        "experts_per_token",
        "hidden_act",
        "initial_context_length",
        "output_router_logits",
        "router_aux_loss_coef",
    },
    tensors=[
        *ENDS,
        *NORMS,
        *ATTENTION,
        Same("model.layers.{i}.self_attn.sinks", "blocks.{i}.attention.sinks"),
        *linear("model.layers.{i}.mlp.router", "blocks.{i}.feed_forward.router"),
        Stacked(
            Fused(
                "model.layers.{i}.mlp.experts.gate_up_proj",
                (f"{_GATE}.weight", f"{_EXPAND}.weight"),
                transposed=True,
                interleaved=True,
            )
        ),
        Stacked(
            Fused(
                "model.layers.{i}.mlp.experts.gate_up_proj_bias",
                (f"{_GATE}.bias", f"{_EXPAND}.bias"),
                interleaved=True,
            )
        ),
        Stacked(Transposed("model.layers.{i}.mlp.experts.down_proj", f"{_OUTPUT}.weight")),
        Stacked(Same("model.layers.{i}.mlp.experts.down_proj_bias", f"{_OUTPUT}.bias")),
    ],
)
