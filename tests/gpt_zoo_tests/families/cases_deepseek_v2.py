from hub_models import SIZES, HubCase

DEEPSEEK = {
    **SIZES,
    "q_lora_rank": None,
    "kv_lora_rank": 10,
    "qk_nope_head_dim": 6,
    "qk_rope_head_dim": 4,
    "v_head_dim": 7,
    "n_routed_experts": 5,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 11,
    "first_k_dense_replace": 1,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 500.0}

CASES = [
    HubCase(
        "deepseek_v2",
        "DeepseekV2Config",
        {**DEEPSEEK, "rope_parameters": {**YARN, "mscale": 0.707, "mscale_all_dim": 0.707}},
        breaks={
            "rms_norm_eps": 1e-5,
            "topk_method": "group_limited_greedy",
            "scoring_func": "sigmoid",
            "moe_layer_freq": 2,
            "norm_topk_prob": True,
            "num_key_value_heads": 2,
            "attention_bias": True,
        },
        beyond={
            "norm.eps": 1e-5,
            "feed_forward.normalize_weights": True,
            "feed_forward.shared": None,
            "position.interleaved": False,
            "attention.kind": "multi_head",
        },
    ),
    HubCase(
        "deepseek_v2",
        "DeepseekV2Config",
        {
            **DEEPSEEK,
            "q_lora_rank": 14,
            "first_k_dense_replace": 0,
            "n_shared_experts": 1,
            "routed_scaling_factor": 2.5,
            "attention_bias": True,
            "tie_word_embeddings": True,
        },
        "query-rank",
        beyond={"attention.scale": 0.5},
    ),
    HubCase(
        "deepseek_v2",
        "DeepseekV2Config",
        {**DEEPSEEK, "rope_parameters": {**YARN, "mscale": 1.3, "mscale_all_dim": 0.5, "beta_fast": 16}},
        "two-temperatures",
    ),
    HubCase("deepseek_v2", "DeepseekV2Config", {**DEEPSEEK, "rope_parameters": YARN}, "yarn"),
]
