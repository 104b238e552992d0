from hub_models import CONTEXT, VOCAB, HubCase

GPTJ = {
    "vocab_size": VOCAB, "n_positions": CONTEXT, "n_embd": 32, "n_layer": 3, "n_head": 4, "rotary_dim": 6,
}  # fmt: skip

CASES = [
    HubCase(
        "gptj",
        "GPTJConfig",
        GPTJ,
        breaks={"rotary": False, "rotary_dim": None, "scale_attn_weights": False},
        beyond={
            "position.interleaved": False,
            "position.base": 500.0,
            "block.shared_norm": False,
            "head.bias": False,
            "qkv_bias": True,
        },
    ),
    HubCase(
        "gptj",
        "GPTJConfig",
        {
            **GPTJ,
            "rotary_dim": 8,
            "n_inner": 40,
            "activation_function": "gelu",
            "layer_norm_epsilon": 1e-3,
            "tie_word_embeddings": True,
        },
        "tied",
        breaks={"rotary_dim": 10},
    ),
]
