from hub_models import SIZES, HubCase

MIXTRAL = {**SIZES, "num_key_value_heads": 2, "num_local_experts": 5, "num_experts_per_tok": 2}

CASES = [
    HubCase(
        "mixtral",
        "MixtralConfig",
        MIXTRAL,
        breaks={"attention_bias": True, "num_experts_per_tok": 7, "num_local_experts": "many"},
        beyond={
            "qkv_bias": True,
            "feed_forward.normalize_weights": False,
            "feed_forward.router_bias": True,
            "feed_forward.expert.bias": True,
            "feed_forward.shared": {"kind": "gated", "hidden_dim": 8},
        },
    ),
    HubCase(
        "mixtral",
        "MixtralConfig",
        {
            **MIXTRAL,
            "head_dim": 6,
            "sliding_window": 7,
            "num_experts_per_tok": 3,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
            "tie_word_embeddings": True,
        },
        "window",
    ),
]
