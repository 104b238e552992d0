from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "olmo",
        "OlmoConfig",
        {**SIZES, "num_key_value_heads": 2},
        breaks={"clip_qkv": -1.0, "rms_norm_eps": 1e-5},
        beyond={"norm.eps": 1e-6, "norm.weight": True, "norm.kind": "rms_norm"},
    ),
    HubCase(
        "olmo",
        "OlmoConfig",
        {**SIZES, "clip_qkv": 0.3, "attention_bias": True, "hidden_act": "gelu", "tie_word_embeddings": True},
        "clipped",
    ),
]
