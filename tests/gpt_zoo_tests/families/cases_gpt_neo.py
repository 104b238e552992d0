from hub_models import CONTEXT, VOCAB, HubCase

NEO = {
    "vocab_size": VOCAB, "max_position_embeddings": CONTEXT, "hidden_size": 24, "num_layers": 4,
    "num_heads": 3,
}  # fmt: skip

CASES = [
    HubCase(
        "gpt_neo",
        "GPTNeoConfig",
        {**NEO, "attention_types": [[["global", "local"], 2]], "window_size": 7},
        breaks={
            "attention_types": [[["global", "local"], 3]],
            "attention_layers": ["local"] * 4,
            "window_size": "all",
        },
        beyond={"attention.scale": 0.5, "qkv_bias": True, "attention.out_bias": False},
    ),
    HubCase(
        "gpt_neo",
        "GPTNeoConfig",
        {
            **NEO,
            "attention_types": [[["local"], 1], [["global"], 3]],
            "window_size": 5,
            "intermediate_size": 40,
            "activation_function": "relu",
            "layer_norm_epsilon": 1e-3,
            "tie_word_embeddings": False,
            "resid_dropout": 0.1,
        },
        "uneven",
    ),
    HubCase("gpt_neo", "GPTNeoConfig", {**NEO, "attention_types": [[["global", "local"], 2]]}, "all-seen"),
]
