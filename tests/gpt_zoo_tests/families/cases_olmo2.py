from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "olmo2",
        "Olmo2Config",
        {**SIZES, "num_key_value_heads": 2},
        breaks={"clip_qkv": 8.0, "sliding_window": 7},
        beyond={"attention.qk_norm": "head", "block.norm_placement": "pre", "attention.clip": 8.0},
    ),
    HubCase(
        "olmo2",
        "Olmo2Config",
        {**SIZES, "attention_bias": True, "rms_norm_eps": 1e-3, "tie_word_embeddings": True},
        "biases",
    ),
]
