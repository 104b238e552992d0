from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "smollm3",
        "SmolLM3Config",
        {**SIZES, "num_hidden_layers": 5, "num_key_value_heads": 2, "pad_token_id": 0},
        breaks={"no_rope_layers": [1, 0], "layer_types": ["sliding_attention"]},
        beyond={"attention.qk_norm": "head", "position.fraction": 0.5, "position.kind": "learned"},
    ),
    HubCase(
        "smollm3",
        "SmolLM3Config",
        {
            **SIZES,
            "num_key_value_heads": 6,
            "pad_token_id": 0,
            "no_rope_layers": [0, 1, 1],
            "use_sliding_window": True,
            "sliding_window": 7,
            "attention_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": False,
        },
        "windows",
    ),
]
