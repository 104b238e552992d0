from hub_models import CONTEXT, VOCAB, HubCase

MPT = {"vocab_size": VOCAB, "max_seq_len": CONTEXT, "d_model": 24, "n_layers": 3, "n_heads": 4}

CASES = [
    HubCase(
        "mpt",
        "MptConfig",
        MPT,
        breaks={
            "attn_config": {"rope": True},
            "logit_scale": "inv_sqrt_d_model",
            "no_bias": False,
            "expansion_ratio": 3,
        },
        beyond={"position.max_bias": 16.0, "norm.bias": True, "attention.out_bias": True},
    ),
    HubCase(
        "mpt",
        "MptConfig",
        {
            **MPT,
            "n_heads": 6,
            "attn_config": {"clip_qkv": 0.4, "softmax_scale": 0.3},
            "layer_norm_epsilon": 1e-3,
            "tie_word_embeddings": False,
            "resid_pdrop": 0.1,
        },
        "clipped",
        breaks={"attn_config": {"alibi_bias_max": 16}},
    ),
]
