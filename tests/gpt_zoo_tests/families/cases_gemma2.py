from hub_models import SIZES, HubCase

GEMMA2 = {**SIZES, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 7, "query_pre_attn_scalar": 11}

CASES = [
    HubCase(
        "gemma2",
        "Gemma2Config",
        GEMMA2,
        breaks={
            "use_bidirectional_attention": True,
            "query_pre_attn_scalar": 0,
            "layer_types": ["full_attention"],
        },
        beyond={"block.norm_placement": "pre", "attention.scale": 0.3, "attention.qk_norm": "head"},
    ),
    HubCase(
        "gemma2",
        "Gemma2Config",
        {
            **GEMMA2,
            "attention_bias": True,
            "attn_logit_softcapping": None,
            "final_logit_softcapping": 3.0,
            "hidden_activation": "relu",
            "layer_types": ["full_attention", "full_attention", "sliding_attention"],
            "tie_word_embeddings": False,
        },
        "layer-types",
    ),
    HubCase(
        "gemma2",
        "Gemma2Config",
        {**GEMMA2, "attn_logit_softcapping": 0.5, "final_logit_softcapping": None, "sliding_window": 48},
        "whole-window",
    ),
]
