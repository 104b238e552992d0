from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "cohere",
        "CohereConfig",
        {**SIZES, "num_key_value_heads": 2},
        breaks={"use_qk_norm": True, "logit_scale": None},
        beyond={
            "position.interleaved": False,
            "norm.bias": True,
            "block.shared_norm": False,
            "feed_forward.bias": True,
        },
    ),
    HubCase(
        "cohere",
        "CohereConfig",
        {
            **SIZES,
            "attention_bias": True,
            "head_dim": 8,
            "logit_scale": 0.25,
            "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0},
            "layer_norm_eps": 1e-3,
            "tie_word_embeddings": False,
        },
        "biased",
    ),
]
