from hub_models import CONTEXT, VOCAB, HubCase

GPT2 = {"vocab_size": VOCAB, "n_positions": CONTEXT, "n_embd": 24, "n_layer": 3, "n_head": 4}

CASES = [
    HubCase(
        "gpt2",
        "GPT2Config",
        GPT2,
        breaks={"add_cross_attention": True, "activation_function": "laplace", "n_head": None, "n_soup": 3},
        beyond={"attention.softcap": 30.0, "position.offset": 2, "attention.qk_norm": "head"},
    ),
    HubCase(
        "gpt2",
        "GPT2Config",
        {
            **GPT2,
            "n_inner": 40,
            "activation_function": "relu",
            "layer_norm_epsilon": 1e-3,
            "scale_attn_by_inverse_layer_idx": True,
            "tie_word_embeddings": False,
        },
        "scaled",
    ),
    HubCase("gpt2", "GPT2Config", {**GPT2, "scale_attn_weights": False}, "unscaled"),
]
