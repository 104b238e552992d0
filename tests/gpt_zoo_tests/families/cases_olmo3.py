from hub_models import SIZES, HubCase

OLMO3 = {**SIZES, "num_hidden_layers": 4, "num_key_value_heads": 2, "sliding_window": 7}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 5000.0}

CASES = [
    HubCase(
        "olmo3",
        "Olmo3Config",
        OLMO3,
        breaks={"sliding_window": None, "layer_types": ["full_attention"], "clip_qkv": 8.0},
        beyond={"attention.qk_norm": "head", "block.norm_placement": "pre"},
    ),
    HubCase(
        "olmo3",
        "Olmo3Config",
        {
            **OLMO3,
            "attention_bias": True,
            "layer_types": ["full_attention", "sliding_attention"] * 2,
            "rope_parameters": {
                "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
                "full_attention": YARN,
            },
            "tie_word_embeddings": True,
        },
        "two-ropes",
    ),
]
