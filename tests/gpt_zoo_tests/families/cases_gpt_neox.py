from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "gpt_neox",
        "GPTNeoXConfig",
        {**SIZES, "num_attention_heads": 3},
        breaks={"rotary_pct": 0.9, "attention_bias": None},
        beyond={"block.shared_norm": True, "block.residual_multiplier": 0.5},
    ),
    HubCase(
        "gpt_neox",
        "GPTNeoXConfig",
        {
            **SIZES,
            "num_attention_heads": 4,
            "use_parallel_residual": False,
            "attention_bias": False,
            "rotary_pct": 1.0,
            "rotary_emb_base": 100,
            "hidden_act": "gelu_new",
            "tie_word_embeddings": True,
        },
        "sequential",
    ),
]
