from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "mistral",
        "MistralConfig",
        {**SIZES, "num_key_value_heads": 2, "sliding_window": 7},
        breaks={"rope_scaling": {"type": "su", "factor": 2.0}, "attention_bias": True},
        beyond={"qkv_bias": True, "feed_forward.bias": True},
    ),
    HubCase("mistral", "MistralConfig", {**SIZES, "sliding_window": None, "num_key_value_heads": 6}, "full"),
]
