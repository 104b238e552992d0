from hub_models import CONTEXT, VOCAB, HubCase

BLOOM = {"vocab_size": VOCAB, "seq_length": CONTEXT, "hidden_size": 24, "n_layer": 3, "n_head": 4}

CASES = [
    HubCase(
        "bloom",
        "BloomConfig",
        BLOOM,
        breaks={
            "apply_residual_connection_post_layernorm": True,
            "slow_but_exact": True,
            "n_embed": 32,
            "n_inner": 40,
        },
        beyond={
            "embedding.norm": False,
            "position.scaled": True,
            "position.max_bias": 4.0,
            "feed_forward.hidden_dim": 40,
            "activation": "gelu",
        },
    ),
    HubCase(
        "bloom",
        "BloomConfig",
        {**BLOOM, "n_head": 6, "layer_norm_epsilon": 1e-3, "tie_word_embeddings": False},
        "six-heads",
    ),
]
