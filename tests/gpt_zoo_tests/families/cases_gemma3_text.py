from hub_models import CONTEXT, SIZES, HubCase

GEMMA3 = {**SIZES, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 7, "query_pre_attn_scalar": 11}
TYPES = ["sliding_attention", "full_attention", "sliding_attention"]
ROPE = {
    "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
    "full_attention": {"rope_type": "linear", "rope_theta": 5000.0, "factor": 4.0},
}

CASES = [
    HubCase(
        "gemma3_text",
        "Gemma3TextConfig",
        {**GEMMA3, "num_hidden_layers": 7},
        breaks={
            "use_bidirectional_attention": True,
            "attn_logit_softcapping": 50.0,
            "rope_scaling": {"rope_type": "dynamic", "factor": 2.0},
            "layer_types": ["full_attention"],
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
        },
        beyond={"attention.qk_norm": None, "attention.softcap": 50.0, "block.norm_placement": "pre"},
    ),
    HubCase(
        "gemma3_text",
        "Gemma3TextConfig",
        {
            **GEMMA3,
            "attention_bias": True,
            "final_logit_softcapping": 3.0,
            "layer_types": TYPES,
            "rope_parameters": ROPE,
            "tie_word_embeddings": False,
        },
        "two-ropes",
    ),
    HubCase(
        "gemma3_text",
        "Gemma3TextConfig",
        {**GEMMA3, "layer_types": TYPES, "rope_parameters": ROPE, "sliding_window": CONTEXT},
        "whole-window",
    ),
    HubCase(
        "gemma3_text",
        "Gemma3TextConfig",
        {**GEMMA3, "num_hidden_layers": 4, "sliding_window_pattern": 2, "rope_local_base_freq": 50.0},
        "old-spelling",
    ),
    HubCase("gemma3_text", "Gemma3TextConfig", {**GEMMA3, "layer_types": ["full_attention"] * 3}, "full"),
]
