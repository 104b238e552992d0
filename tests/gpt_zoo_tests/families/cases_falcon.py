from hub_models import CONTEXT, VOCAB, HubCase

FALCON = {
    "vocab_size": VOCAB, "max_position_embeddings": CONTEXT, "hidden_size": 24, "num_hidden_layers": 3,
    "num_attention_heads": 6,
}  # fmt: skip

CASES = [
    HubCase(
        "falcon",
        "FalconConfig",
        FALCON,
        "7b",
        breaks={
            "num_ln_in_parallel_attn": 2,
            "apply_residual_connection_post_layernorm": True,
            "n_embed": 32,
        },
        beyond={
            "position.fraction": 0.5,
            "attention.softcap": 30.0,
            "block.residual_multiplier": 0.5,
        },
    ),
    HubCase(
        "falcon",
        "FalconConfig",
        {**FALCON, "new_decoder_architecture": True, "num_kv_heads": 2, "ffn_hidden_size": 40},
        "40b",
        breaks={"parallel_attn": False, "num_ln_in_parallel_attn": 3},
    ),
    HubCase(
        "falcon",
        "FalconConfig",
        {
            **FALCON,
            "new_decoder_architecture": True,
            "num_kv_heads": 3,
            "num_ln_in_parallel_attn": 1,
            "activation": "relu",
            "layer_norm_epsilon": 1e-3,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
            "tie_word_embeddings": False,
        },
        "11b",
    ),
    HubCase(
        "falcon",
        "FalconConfig",
        {
            **FALCON,
            "num_attention_heads": 12,
            "alibi": True,
            "multi_query": False,
            "parallel_attn": False,
            "bias": True,
        },
        "rw",
        breaks={"num_kv_heads": 2},
        beyond={
            "position.scaled": False,
            "position.rounded": False,
            "attention.scale": 0.3,
            "block.norm_placement": "post",
        },
        attention="sdpa",  # written out, it adds ALiBi twice
    ),
    HubCase("falcon", "FalconConfig", {**FALCON, "multi_query": False, "bias": True}, "multi-head"),
]
