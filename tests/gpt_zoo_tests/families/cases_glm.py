from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "glm",
        "GlmConfig",
        {**SIZES, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0},
        breaks={"mlp_bias": True, "partial_rotary_factor": 0.9},
        beyond={"attention.out_bias": True, "position.interleaved": False},
    ),
    HubCase(
        "glm",
        "GlmConfig",
        {
            **SIZES,
            "num_key_value_heads": 6,
            "head_dim": 4,
            "attention_bias": False,
            "pad_token_id": 0,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 1.0},
            "tie_word_embeddings": True,
        },
        "whole",
    ),
]
