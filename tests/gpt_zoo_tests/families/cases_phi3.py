from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "phi3",
        "Phi3Config",
        {**SIZES, "num_key_value_heads": 2, "sliding_window": 7, "resid_pdrop": 0.1, "pad_token_id": 0},
        breaks={
            "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.0], "long_factor": [2.0, 2.0]},
            "attention_bias": True,
        },
        beyond={"qkv_bias": True, "position.scaling": {"kind": "linear", "factor": 2.0}},
    ),
    HubCase(
        "phi3",
        "Phi3Config",
        {
            **SIZES,
            "num_attention_heads": 3,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 0.75},
            "pad_token_id": 0,
            "tie_word_embeddings": True,
        },
        "partial",
    ),
]
