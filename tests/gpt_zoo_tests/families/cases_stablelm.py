from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "stablelm",
        "StableLmConfig",
        {**SIZES, "num_attention_heads": 3, "num_key_value_heads": 3},
        breaks={"qk_layernorm": True, "head_dim": 4, "use_parallel_residual": "yes"},
        beyond={"attention.out_bias": True, "attention.head_dim": 16, "norm.bias": False},
    ),
    HubCase(
        "stablelm",
        "StableLmConfig",
        {
            **SIZES,
            "num_attention_heads": 3,
            "num_key_value_heads": 1,
            "use_parallel_residual": True,
            "use_qkv_bias": True,
            "partial_rotary_factor": 0.5,
            "layer_norm_eps": 1e-3,
            "tie_word_embeddings": True,
        },
        "parallel",
    ),
]
