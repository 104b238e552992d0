from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "qwen3",
        "Qwen3Config",
        {**SIZES, "num_key_value_heads": 2, "head_dim": 8},
        breaks={"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}, "use_qk_norm": False},
        beyond={"attention.qk_norm": "width", "qkv_bias": True, "norm.unit_offset": True},
    ),
    HubCase(
        "qwen3",
        "Qwen3Config",
        {
            **SIZES,
            "num_key_value_heads": 6,
            "head_dim": 4,
            "attention_bias": True,
            "use_sliding_window": True,
            "sliding_window": 7,
            "max_window_layers": 2,
            "tie_word_embeddings": True,
        },
        "windows",
    ),
]
