from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "starcoder2",
        "Starcoder2Config",
        {**SIZES, "num_key_value_heads": 2, "sliding_window": 7, "residual_dropout": 0.1},
        breaks={"mlp_type": "gated", "norm_type": "rms_norm", "attention_bias": True},
        beyond={"attention.out_bias": False, "norm.kind": "rms_norm"},
    ),
    HubCase(
        "starcoder2",
        "Starcoder2Config",
        {**SIZES, "num_key_value_heads": 6, "use_bias": False, "tie_word_embeddings": False},
        "no-biases",
    ),
]
