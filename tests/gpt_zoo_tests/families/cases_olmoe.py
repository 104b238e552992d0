from hub_models import SIZES, HubCase

OLMOE = {**SIZES, "intermediate_size": 14, "num_experts": 5, "num_experts_per_tok": 3}

CASES = [
    HubCase(
        "olmoe",
        "OlmoeConfig",
        {**OLMOE, "num_key_value_heads": 2},
        breaks={"clip_qkv": 8.0, "head_dim": 8},
        beyond={"attention.clip": 8.0, "attention.head_dim": 8, "feed_forward.router_bias": True},
    ),
    HubCase(
        "olmoe",
        "OlmoeConfig",
        {**OLMOE, "norm_topk_prob": True, "attention_bias": True, "tie_word_embeddings": True},
        "normalised",
    ),
]
