from hub_models import SIZES, HubCase

QWEN_MOE = {
    **SIZES,
    "num_key_value_heads": 2,
    "num_experts": 5,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 14,
    "shared_expert_intermediate_size": 22,
}

CASES = [
    HubCase(
        "qwen2_moe",
        "Qwen2MoeConfig",
        QWEN_MOE,
        breaks={"attention_bias": True, "decoder_sparse_step": 0, "num_experts_per_tok": 7},
        beyond={
            "attention.qk_norm": "head",
            "feed_forward.shared_gate": False,
            "feed_forward.weight_scale": 2.0,
            "feed_forward.kind": "gated",
        },
    ),
    HubCase(
        "qwen2_moe",
        "Qwen2MoeConfig",
        {
            **QWEN_MOE,
            "num_hidden_layers": 5,
            "qkv_bias": False,
            "norm_topk_prob": True,
            "decoder_sparse_step": 2,
            "mlp_only_layers": [3],
            "use_sliding_window": True,
            "sliding_window": 7,
            "max_window_layers": 3,
            "tie_word_embeddings": True,
        },
        "dense-layers",
    ),
]
