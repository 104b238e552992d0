from hub_models import SIZES, HubCase

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 500.0}
YARN_SCALED = {
    **YARN,
    "mscale": 0.707,
    "mscale_all_dim": 1.3,
    "beta_fast": 16,
    "beta_slow": 2,
    "truncate": False,
}

CASES = [
    HubCase(
        "llama",
        "LlamaConfig",
        {**SIZES, "num_key_value_heads": 2},
        breaks={
            "quantization_config": {"quant_method": "gptq"},
            "rope_scaling": {"type": "dynamic", "factor": 2.0},
            "sliding_window": 7,
            "hidden_size": "big",
        },
        beyond={
            "attention.softcap": 30.0,
            "attention.window": 7,
            "norm.unit_offset": True,
            "position.fraction": 0.5,
            "block.norm_placement": "sandwich",
            "head.bias": True,
        },
    ),
    HubCase(
        "llama",
        "LlamaConfig",
        {
            **SIZES,
            "num_key_value_heads": 1,
            "attention_bias": True,
            "mlp_bias": True,
            "rope_parameters": {**LLAMA3, "rope_theta": 500.0},
        },
        "llama3",
    ),
    HubCase(
        "llama",
        "LlamaConfig",
        {**SIZES, "head_dim": 8, "tie_word_embeddings": True, "rope_parameters": YARN, "rms_norm_eps": 1e-3},
        "yarn",
    ),
    HubCase("llama", "LlamaConfig", {**SIZES, "head_dim": 16, "rope_parameters": YARN_SCALED}, "yarn-scaled"),
    HubCase(
        "llama", "LlamaConfig", {**SIZES, "rope_scaling": {"rope_type": "linear", "factor": 4.0}}, "linear"
    ),
]
