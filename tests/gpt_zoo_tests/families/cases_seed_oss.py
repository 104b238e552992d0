from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "seed_oss",
        "SeedOssConfig",
        {**SIZES, "num_key_value_heads": 2, "head_dim": 8},
        breaks={"sliding_window": 7, "attention_out_bias": None},
        beyond={"attention.qk_norm": "head", "attention.window": 7},
    ),
    HubCase(
        "seed_oss",
        "SeedOssConfig",
        {
            **SIZES,
            "num_key_value_heads": 6,
            "head_dim": 4,
            "attention_bias": False,
            "attention_out_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": True,
        },
        "other-biases",
    ),
]
