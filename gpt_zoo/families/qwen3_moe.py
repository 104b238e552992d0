"""Qwen3 with experts: Yang et al. 2025, arXiv:2505.09388."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Rotary, Window
from gpt_zoo.families.llama import ATTENTION, BIASES, ENDS, FEED_FORWARD, NORMS, QK_NORMS, SHAPE
from gpt_zoo.families.qwen2_moe import ALWAYS_EXPERTS, EXPERTS, ROUTER, dense_layers

FAMILY = Family(
    model_type="qwen3_moe",
    architecture="Qwen3MoeForCausalLM",
    always=ALWAYS_EXPERTS | {"attention.qk_norm": "head"},
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", None),
        KeyValueHeads(default=4),
        Rotary(),
        Window(default=4096, switch="use_sliding_window"),
        *BIASES,
        Field("num_experts", "feed_forward.n_experts", 128),
        Field("num_experts_per_tok", "feed_forward.n_experts_per_token", 8),
        Field("norm_topk_prob", "feed_forward.normalize_weights", False),
        Field("moe_intermediate_size", "feed_forward.expert.hidden_dim"),
        dense_layers(size=6144),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout", "max_window_layers", "output_router_logits", "router_aux_loss_coef"},
    renamed={"num_local_experts": "num_experts"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *QK_NORMS, *FEED_FORWARD, *ROUTER, *EXPERTS],
)
