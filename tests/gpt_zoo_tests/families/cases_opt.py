from hub_models import CONTEXT, VOCAB, HubCase

OPT = {
    "vocab_size": VOCAB, "max_position_embeddings": CONTEXT, "hidden_size": 24, "ffn_dim": 40,
    "num_hidden_layers": 3, "num_attention_heads": 6,
}  # fmt: skip

CASES = [
    HubCase(
        "opt",
        "OPTConfig",
        OPT,
        breaks={"activation_function": "laplace", "word_embed_proj_dim": "wide", "sliding_window": 5},
        beyond={
            "position.offset": 0,
            "embedding.norm": True,
            "embedding.dim": 24,
            "norm.eps": 1e-3,
            "block.norm_placement": "sandwich",
        },
    ),
    HubCase(
        "opt",
        "OPTConfig",
        {**OPT, "word_embed_proj_dim": 12, "do_layer_norm_before": False},
        "350m",
        beyond={"final_norm": True},
    ),
    HubCase(
        "opt",
        "OPTConfig",
        {
            **OPT,
            "word_embed_proj_dim": 10,
            "_remove_final_layer_norm": True,
            "enable_bias": False,
            "layer_norm_elementwise_affine": False,
            "activation_function": "gelu",
            "tie_word_embeddings": False,
            "dropout": 0.0,
        },
        "plain",
        beyond={"head.dim": 9, "norm.weight": True},
    ),
]
