from hub_models import SIZES, HubCase

GPT_OSS = {
    **SIZES,
    "intermediate_size": 14,
    "head_dim": 8,
    "num_key_value_heads": 2,
    "num_local_experts": 5,
    "num_experts_per_tok": 3,
    "sliding_window": 7,
}

CASES = [
    HubCase(
        "gpt_oss",
        "GptOssConfig",
        GPT_OSS,
        breaks={
            "quantization_config": {"quant_method": "mxfp4"},
            "swiglu_alpha": 1.5,
            "layer_types": ["full_attention"],
        },
        beyond={
            "attention.sinks": False,
            "activation": "silu",
            "feed_forward.router_bias": False,
            "feed_forward.expert.linear_offset": 0.0,
        },
    ),
    HubCase(
        "gpt_oss",
        "GptOssConfig",
        {
            **GPT_OSS,
            "attention_bias": False,
            "swiglu_limit": 0.2,
            "layer_types": ["full_attention", "sliding_attention", "full_attention"],
            "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
            "tie_word_embeddings": True,
        },
        "no-yarn",
    ),
]
