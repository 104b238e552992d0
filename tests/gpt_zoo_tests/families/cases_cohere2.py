from hub_models import SIZES, HubCase

COHERE2 = {**SIZES, "num_hidden_layers": 4, "num_key_value_heads": 2}

CASES = [
    HubCase(
        "cohere2",
        "Cohere2Config",
        {**COHERE2, "sliding_window": 7},
        breaks={
            "sliding_window": None,
            "position_embedding_type": "alibi",
            "layer_types": ["full_attention"],
            "rotary_pct": 0.5,
        },
        beyond={"attention.softcap": 30.0, "norm.bias": True},
    ),
    HubCase(
        "cohere2",
        "Cohere2Config",
        {
            **COHERE2,
            "sliding_window": 5,
            "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
            "attention_bias": True,
            "logit_scale": 0.25,
            "head_dim": 8,
            "tie_word_embeddings": False,
        },
        "other-layers",
    ),
    HubCase("cohere2", "Cohere2Config", {**COHERE2, "sliding_window": 96}, "all-seen"),
]
