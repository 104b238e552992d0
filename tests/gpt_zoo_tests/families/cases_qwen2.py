from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "qwen2",
        "Qwen2Config",
        {**SIZES, "num_key_value_heads": 2},
        breaks={
            "layer_types": ["full_attention", "linear_attention", "full_attention"],
            "mlp_bias": True,
            "intermediate_size": None,
        },
        beyond={"qkv_bias": False, "attention.out_bias": True},
    ),
    HubCase(
        "qwen2",
        "Qwen2Config",
        {
            **SIZES,
            "num_key_value_heads": 6,
            "use_sliding_window": True,
            "sliding_window": 7,
            "max_window_layers": 1,
            "tie_word_embeddings": True,
            "rms_norm_eps": 1e-3,
        },
        "windows",
    ),
    HubCase(
        "qwen2",
        "Qwen2Config",
        {
            **SIZES,
            "num_key_value_heads": 1,
            "use_sliding_window": True,
            "sliding_window": 5,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
        },
        "layer-types",
    ),
]
