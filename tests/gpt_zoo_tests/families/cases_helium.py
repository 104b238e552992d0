from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "helium",
        "HeliumConfig",
        {**SIZES, "num_key_value_heads": 2, "head_dim": 4},
        breaks={"head_dim": 8, "attention_out_bias": True},
        beyond={"attention.head_dim": 8, "attention.out_bias": True, "position.interleaved": False},
    ),
    HubCase(
        "helium",
        "HeliumConfig",
        {
            **SIZES,
            "num_key_value_heads": 6,
            "head_dim": 4,
            "attention_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": True,
        },
        "biases",
    ),
]
