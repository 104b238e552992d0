from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "ernie4_5",
        "Ernie4_5Config",
        {**SIZES, "num_key_value_heads": 2, "head_dim": 8},
        breaks={"moe_num_experts": 8, "use_bias": None},
        beyond={"position.interleaved": False, "position.fraction": 0.5},
    ),
    HubCase(
        "ernie4_5",
        "Ernie4_5Config",
        {**SIZES, "num_key_value_heads": 6, "head_dim": 4, "use_bias": True, "tie_word_embeddings": False},
        "biases",
    ),
]
