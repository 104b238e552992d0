from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "granite",
        "GraniteConfig",
        {
            **SIZES,
            "num_key_value_heads": 2,
            "embedding_multiplier": 3.0,
            "attention_multiplier": 0.3,
            "residual_multiplier": 0.22,
            "logits_scaling": 7.0,
        },
        breaks={"logits_scaling": 0, "attention_multiplier": -1.0, "shared_intermediate_size": 7},
        beyond={"head.softcap": 30.0, "embedding.norm": True, "block.embedding_residual": True},
    ),
    HubCase(
        "granite",
        "GraniteConfig",
        {**SIZES, "attention_bias": True, "mlp_bias": True, "head_dim": 8, "tie_word_embeddings": True},
        "biases",
    ),
]
