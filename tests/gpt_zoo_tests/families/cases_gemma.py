from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "gemma",
        "GemmaConfig",
        {**SIZES, "num_key_value_heads": 1, "head_dim": 8},
        breaks={"use_bidirectional_attention": True, "hidden_act": "laplace", "hidden_activation": "relu"},
        beyond={"norm.unit_offset": False, "embedding.multiplier": 2.0, "attention.softcap": 50.0},
    ),
    HubCase(
        "gemma",
        "GemmaConfig",
        {
            **SIZES,
            "num_key_value_heads": 6,
            "head_dim": 4,
            "attention_bias": True,
            "hidden_act": "gelu",
            "tie_word_embeddings": False,
        },
        "old-activation",
    ),
]
