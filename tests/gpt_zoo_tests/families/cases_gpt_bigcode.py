from hub_models import CONTEXT, VOCAB, HubCase

BIGCODE = {"vocab_size": VOCAB, "n_positions": CONTEXT, "n_embd": 24, "n_layer": 3, "n_head": 4}

CASES = [
    HubCase(
        "gpt_bigcode",
        "GPTBigCodeConfig",
        BIGCODE,
        breaks={"add_cross_attention": True, "num_key_value_heads": 2, "n_embd": None},
        beyond={"attention.scale": 0.3, "position.offset": 2, "attention.qk_norm": "head"},
    ),
    HubCase(
        "gpt_bigcode",
        "GPTBigCodeConfig",
        {
            **BIGCODE,
            "multi_query": False,
            "n_inner": 40,
            "scale_attn_weights": False,
            "activation_function": "gelu",
            "layer_norm_epsilon": 1e-3,
            "tie_word_embeddings": False,
        },
        "multi-head",
    ),
]
