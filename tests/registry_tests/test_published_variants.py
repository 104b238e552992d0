"""Variants of the catalog against the config.json with which the same models were published."""

from typing import Any

import pytest

from gpt_zoo.families import read_hub_config
from gpt_zoo.families.engine.meaning import Meaning, find_difference
from registry import load_variant

LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip
DEEPSEEK_YARN = {
    "type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 0.707,
    "original_max_position_embeddings": 4096,
}  # fmt: skip
GPT_OSS_YARN = {
    "rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
    "original_max_position_embeddings": 4096,
}  # fmt: skip


def published(
    model_type: str, vocabulary: int, context: int, width: int, hidden: int, layers: int, heads: int,
    kv_heads: int, **others: Any,
) -> dict[str, Any]:  # fmt: skip
    """Fields under the names that these families have in common, and others."""
    return {
        "model_type": model_type, "vocab_size": vocabulary, "max_position_embeddings": context,
        "hidden_size": width, "intermediate_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, **others,
    }  # fmt: skip


PUBLISHED = {
    "llama-65b": {
        "model_type": "llama", "vocab_size": 32000, "max_sequence_length": 2048, "hidden_size": 8192,
        "intermediate_size": 22016, "num_hidden_layers": 80, "num_attention_heads": 64, "rms_norm_eps": 1e-5,
    },
    "llama-3.1-8b": published(
        "llama", 128256, 131072, 4096, 14336, 32, 32, 8, rope_theta=500000.0, rope_scaling=LLAMA3,
        rms_norm_eps=1e-5, attention_bias=False, mlp_bias=False, pretraining_tp=1,
    ),
    "smollm3-3b": published(
        "smollm3", 128256, 65536, 2048, 11008, 36, 16, 4, rope_theta=5000000.0, rms_norm_eps=1e-6,
        no_rope_layers=[1, 1, 1, 0] * 9, no_rope_layer_interval=4, use_sliding_window=False,
        sliding_window=None, max_window_layers=28, tie_word_embeddings=True,
    ),
    "mixtral-8x7b": published(
        "mixtral", 32000, 32768, 4096, 14336, 32, 32, 8, rope_theta=1000000.0, rms_norm_eps=1e-5,
        sliding_window=None, num_local_experts=8, num_experts_per_tok=2, router_aux_loss_coef=0.02,
    ),
    "qwen2.5-7b": published(
        "qwen2", 152064, 131072, 3584, 18944, 28, 28, 4, rope_theta=1000000.0, rms_norm_eps=1e-6,
        sliding_window=131072, use_sliding_window=False, max_window_layers=28, use_mrope=False,
    ),
    "qwen1.5-moe-a2.7b": published(
        "qwen2_moe", 151936, 8192, 2048, 5632, 24, 16, 16, rope_theta=1000000.0, rms_norm_eps=1e-6,
        num_experts=60, num_experts_per_tok=4, norm_topk_prob=False, moe_intermediate_size=1408,
        shared_expert_intermediate_size=5632, decoder_sparse_step=1, use_sliding_window=False,
    ),
    "qwen3-30b-a3b": published(
        "qwen3_moe", 151936, 40960, 2048, 6144, 48, 32, 4, head_dim=128, rope_theta=1000000.0,
        rms_norm_eps=1e-6, num_experts=128, num_experts_per_tok=8, norm_topk_prob=True,
        moe_intermediate_size=768, decoder_sparse_step=1, mlp_only_layers=[], max_window_layers=48,
        use_sliding_window=False, sliding_window=None,
    ),
    "gemma-2b": published(
        "gemma", 256000, 8192, 2048, 16384, 18, 8, 1, head_dim=256, hidden_act="gelu", rms_norm_eps=1e-6,
    ),
    "gemma-2-27b": published(
        "gemma2", 256000, 8192, 4608, 36864, 46, 32, 16, head_dim=128, query_pre_attn_scalar=144,
        sliding_window=4096, attn_logit_softcapping=50.0, final_logit_softcapping=30.0,
        hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", cache_implementation="hybrid",
    ),
    "gemma-3-1b": published(
        "gemma3_text", 262144, 32768, 1152, 6912, 26, 4, 1, head_dim=256, query_pre_attn_scalar=256,
        sliding_window=512, sliding_window_pattern=6, rope_theta=1000000, rope_local_base_freq=10000,
        rope_scaling=None, cache_implementation="hybrid",
    ),
    "olmo-7b": published("olmo", 50304, 2048, 4096, 11008, 32, 32, 32, clip_qkv=None, rope_theta=10000.0),
    "olmo-2-7b": published(
        "olmo2", 100352, 4096, 4096, 11008, 32, 32, 32, rope_theta=500000, rms_norm_eps=1e-6,
    ),
    "olmoe-1b-7b": published(
        "olmoe", 50304, 4096, 2048, 1024, 16, 16, 16, rope_theta=10000.0, rms_norm_eps=1e-5, clip_qkv=None,
        num_experts=64, num_experts_per_tok=8, norm_topk_prob=False,
    ),
    "stablelm-2-1.6b": published(
        "stablelm", 100352, 4096, 2048, 5632, 24, 32, 32, partial_rotary_factor=0.25, rope_theta=10000,
        layer_norm_eps=1e-5, use_qkv_bias=True,
    ),
    "starcoder2-3b": published(
        "starcoder2", 49152, 16384, 3072, 12288, 30, 24, 2, rope_theta=999999.4420358813, sliding_window=4096,
        norm_epsilon=1e-5, use_bias=True, mlp_type="default", norm_type="layer_norm", residual_dropout=0.1,
        embedding_dropout=0.1, attention_dropout=0.1,
    ),
    "granite-3.0-2b": published(
        "granite", 49155, 4096, 2048, 8192, 40, 32, 8, rope_theta=10000.0, rms_norm_eps=1e-5,
        attention_multiplier=0.015625, embedding_multiplier=12.0, logits_scaling=8.0,
        residual_multiplier=0.22, tie_word_embeddings=True,
    ),
    "deepseek-v2-lite": published(
        "deepseek_v2", 102400, 163840, 2048, 10944, 27, 16, 16, q_lora_rank=None, kv_lora_rank=512,
        qk_nope_head_dim=128, qk_rope_head_dim=64, v_head_dim=128, n_routed_experts=64, n_shared_experts=2,
        num_experts_per_tok=6, moe_intermediate_size=1408, first_k_dense_replace=1, moe_layer_freq=1,
        topk_method="greedy", n_group=1, topk_group=1, scoring_func="softmax", norm_topk_prob=False,
        routed_scaling_factor=1.0, rms_norm_eps=1e-6, rope_theta=10000, rope_scaling=DEEPSEEK_YARN,
        ep_size=1, seq_aux=True, aux_loss_alpha=0.001,
    ),
    "gpt-oss-20b": published(
        "gpt_oss", 201088, 131072, 2880, 2880, 24, 64, 8, head_dim=64, rope_theta=150000,
        rope_scaling=GPT_OSS_YARN, rms_norm_eps=1e-5, sliding_window=128, num_local_experts=32,
        num_experts_per_tok=4, experts_per_token=4, swiglu_limit=7.0, initial_context_length=4096,
        layer_types=["sliding_attention", "full_attention"] * 12, attention_bias=True, hidden_act="silu",
    ),
    "phi-4": published(
        "phi3", 100352, 16384, 5120, 17920, 40, 40, 10, rope_theta=250000, rms_norm_eps=1e-5,
        rope_scaling=None, sliding_window=None, original_max_position_embeddings=16384, attention_bias=False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_variant_computes_what_was_published(name: str) -> None:
    assert (
        find_difference(Meaning(load_variant(name).config), Meaning(read_hub_config(PUBLISHED[name]))) is None
    )
