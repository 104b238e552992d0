from hub_models import SIZES, HubCase

EXAONE = {**SIZES, "num_hidden_layers": 4, "num_key_value_heads": 2}

CASES = [
    HubCase(
        "exaone4",
        "Exaone4Config",
        {**EXAONE, "sliding_window": 7},
        breaks={"layer_types": ["full_attention"], "attention_bias": True},
        beyond={"attention.qk_norm": "width", "block.norm_placement": "pre"},
    ),
    HubCase(
        "exaone4",
        "Exaone4Config",
        {
            **EXAONE,
            "sliding_window": None,
            "layer_types": ["full_attention"] * 4,
            "rope_parameters": {"rope_type": "linear", "rope_theta": 500.0, "factor": 4.0},
            "tie_word_embeddings": True,
        },
        "no-window",
    ),
]
