from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "persimmon",
        "PersimmonConfig",
        {**SIZES, "num_attention_heads": 3},
        breaks={"qk_layernorm": "rms", "partial_rotary_factor": 0.9, "num_key_value_heads": 1},
        beyond={"attention.qk_norm": "width", "attention.out_bias": False},
    ),
    HubCase(
        "persimmon",
        "PersimmonConfig",
        {
            **SIZES,
            "qk_layernorm": False,
            "rope_parameters": {
                "rope_type": "default", "rope_theta": 25000.0, "partial_rotary_factor": 1.0,
            },
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-3,
            "tie_word_embeddings": True,
        },
        "plain",
    ),
]  # fmt: skip
