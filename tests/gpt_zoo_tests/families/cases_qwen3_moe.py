from hub_models import SIZES, HubCase

QWEN3_MOE = {
    **SIZES,
    "head_dim": 8,
    "num_key_value_heads": 2,
    "num_experts": 5,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 14,
    "norm_topk_prob": True,
}

CASES = [
    HubCase(
        "qwen3_moe",
        "Qwen3MoeConfig",
        QWEN3_MOE,
        breaks={"layer_types": ["full_attention"] * 3, "norm_topk_prob": None},
        beyond={
            "attention.qk_norm": None,
            "feed_forward.shared": {"kind": "gated", "hidden_dim": 8},
            "feed_forward.expert.kind": "plain",
        },
    ),
    HubCase(
        "qwen3_moe",
        "Qwen3MoeConfig",
        {
            **QWEN3_MOE,
            "norm_topk_prob": False,
            "attention_bias": True,
            "mlp_only_layers": [0],
            "use_sliding_window": True,
            "sliding_window": 7,
            "tie_word_embeddings": True,
        },
        "dense-layers",
    ),
]
