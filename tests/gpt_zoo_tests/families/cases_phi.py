from hub_models import SIZES, HubCase

PHI = {**SIZES, "num_attention_heads": 3}

CASES = [
    HubCase(
        "phi",
        "PhiConfig",
        PHI,
        breaks={"partial_rotary_factor": 0.9, "hidden_act": "laplace", "head_dim": 16},
        beyond={
            "attention.qk_norm": "width",
            "attention.head_dim": 16,
            "head.bias": False,
            "qkv_bias": False,
            "block.shared_norm": False,
        },
    ),
    HubCase(
        "phi",
        "PhiConfig",
        {
            **SIZES,
            "num_key_value_heads": 2,
            "qk_layernorm": True,
            "rope_parameters": {
                "rope_type": "linear", "factor": 4.0, "rope_theta": 500.0, "partial_rotary_factor": 1.0,
            },
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-3,
            "tie_word_embeddings": True,
        },
        "normed",
    ),
]  # fmt: skip
