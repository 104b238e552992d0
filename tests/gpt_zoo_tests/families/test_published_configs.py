"""The config.json of models as they were published, with fields and spellings of earlier years."""

from typing import Any

import pytest

from gpt_zoo import model_cost
from gpt_zoo.families import build_hub_config, find_families, read_hub_config
from gpt_zoo.families.engine.meaning import Meaning, find_difference

SUMMARY = {
    "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True,
    "summary_type": "cls_index", "summary_use_proj": True,
    "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
}  # fmt: skip
COMMON = {"initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "use_cache": True}
GPT2_LIKE = {**COMMON, **SUMMARY, "bos_token_id": 50256, "eos_token_id": 50256, "vocab_size": 50257}
NO_DROPOUT = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
SOME_DROPOUT = {"attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1}

PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    "distilbert/distilgpt2": (
        {
            **GPT2_LIKE, **SOME_DROPOUT, "_num_labels": 1, "activation_function": "gelu_new",
            "architectures": ["GPT2LMHeadModel"], "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0},
            "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 6,
            "n_positions": 1024,
        },
        81_912_576,
    ),
    "cerebras/Cerebras-GPT-111M": (
        {
            **COMMON, **NO_DROPOUT, "activation_function": "gelu", "architectures": ["GPT2LMHeadModel"],
            "bos_token_id": 50256, "eos_token_id": 50256, "model_type": "gpt2", "n_embd": 768, "n_head": 12,
            "n_inner": 3072, "n_layer": 10, "n_positions": 2048, "reorder_and_upcast_attn": False,
            "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True, "torch_dtype": "float32",
            "transformers_version": "4.20.1", "vocab_size": 50257,
        },
        111_050_496,
    ),
    "openai-community/gpt2-xl": (
        {
            **GPT2_LIKE, **SOME_DROPOUT, "activation_function": "gelu_new",
            "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_ctx": 1024, "n_embd": 1600,
            "n_head": 25, "n_layer": 48, "n_positions": 1024, "n_special": 0, "output_past": True,
            "predict_special_tokens": True,
        },
        1_557_611_200,
    ),
    "EleutherAI/gpt-neox-20b": (
        {
            "architectures": ["GPTNeoXForCausalLM"], "attention_probs_dropout_prob": 0, "bos_token_id": 0,
            "eos_token_id": 0, "hidden_act": "gelu_fast", "hidden_dropout_prob": 0, "hidden_size": 6144,
            "initializer_range": 0.02, "intermediate_size": 24576, "layer_norm_eps": 1e-05,
            "max_position_embeddings": 2048, "model_type": "gpt_neox", "num_attention_heads": 64,
            "num_hidden_layers": 44, "rotary_emb_base": 10000, "rotary_pct": 0.25,
            "tie_word_embeddings": False, "torch_dtype": "float16", "use_cache": True, "vocab_size": 50432,
        },
        20_554_567_680,
    ),
    "openai-community/openai-gpt": (
        {
            **SUMMARY, **SOME_DROPOUT, "afn": "gelu", "architectures": ["OpenAIGPTLMHeadModel"],
            "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "openai-gpt", "n_ctx": 512,
            "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 512, "n_special": 0,
            "predict_special_tokens": True, "vocab_size": 40478,
        },
        116_534_784,
    ),
    "facebook/opt-350m": (
        {
            "activation_dropout": 0.0, "activation_function": "relu", "architectures": ["OPTForCausalLM"],
            "attention_dropout": 0.0, "bos_token_id": 2, "do_layer_norm_before": False, "dropout": 0.1,
            "eos_token_id": 2, "ffn_dim": 4096, "hidden_size": 1024, "init_std": 0.02, "layerdrop": 0.0,
            "max_position_embeddings": 2048, "model_type": "opt", "num_attention_heads": 16,
            "num_hidden_layers": 24, "pad_token_id": 1, "prefix": "</s>", "torch_dtype": "float16",
            "use_cache": True, "vocab_size": 50272, "word_embed_proj_dim": 512,
        },
        331_196_416,
    ),
    "roneneldan/TinyStories-8M": (
        {
            **GPT2_LIKE, "activation_function": "gelu_new", "architectures": ["GPTNeoForCausalLM"],
            "attention_dropout": 0, "attention_layers": ["global", "local"] * 4,
            "attention_types": [[["global", "local"], 4]], "embed_dropout": 0,
            "gradient_checkpointing": False,
            "hidden_size": 256, "intermediate_size": None, "max_position_embeddings": 2048,
            "model_type": "gpt_neo", "num_heads": 16, "num_layers": 8, "resid_dropout": 0, "window_size": 256,
        },
        19_702_528,
    ),
    "EleutherAI/gpt-j-6b": (
        {
            **GPT2_LIKE, **NO_DROPOUT, "activation_function": "gelu_new",
            "architectures": ["GPTJForCausalLM"],
            "gradient_checkpointing": False, "model_type": "gptj", "n_embd": 4096, "n_head": 16,
            "n_inner": None,
            "n_layer": 28, "n_positions": 2048, "rotary": True, "rotary_dim": 64, "scale_attn_weights": True,
            "tie_word_embeddings": False, "tokenizer_class": "GPT2Tokenizer", "vocab_size": 50400,
        },
        6_050_882_784,
    ),
    "Salesforce/codegen-350M-mono": (
        {
            **GPT2_LIKE, **NO_DROPOUT, "activation_function": "gelu_new",
            "architectures": ["CodeGenForCausalLM"], "bos_token_id": 1, "gradient_checkpointing": False,
            "model_type": "codegen", "n_ctx": 2048, "n_embd": 1024, "n_head": 16, "n_inner": None,
            "n_layer": 20,
            "n_positions": 2048, "rotary_dim": 32, "scale_attn_weights": True, "tie_word_embeddings": False,
            "tokenizer_class": "GPT2Tokenizer", "torch_dtype": "float16", "vocab_size": 51200,
        },
        356_712_448,
    ),
    "bigscience/bloom-560m": (
        {
            **COMMON, "apply_residual_connection_post_layernorm": False,
            "architectures": ["BloomForCausalLM"],
            "attention_dropout": 0.0, "attention_softmax_in_fp32": True, "bias_dropout_fusion": True,
            "bos_token_id": 1, "eos_token_id": 2, "hidden_dropout": 0.0, "masked_softmax_fusion": True,
            "model_type": "bloom", "n_embed": 1024, "n_inner": None, "n_layer": 24, "num_attention_heads": 16,
            "offset_alibi": 100, "pad_token_id": 3, "pretraining_tp": 1, "seq_length": 2048,
            "skip_bias_add": True, "skip_bias_add_qkv": False, "unk_token_id": 0, "vocab_size": 250880,
        },
        559_214_592,
    ),
    "mosaicml/mpt-7b": (
        {
            "architectures": ["MPTForCausalLM"],
            "attn_config": {
                "alibi": True, "alibi_bias_max": 8, "attn_impl": "torch", "attn_pdrop": 0,
                "attn_type": "multihead_attention", "attn_uses_sequence_id": False, "clip_qkv": None,
                "prefix_lm": False, "qk_ln": False, "softmax_scale": None,
            },
            "auto_map": {"AutoConfig": "configuration_mpt.MPTConfig"}, "d_model": 4096, "emb_pdrop": 0,
            "embedding_fraction": 1.0, "expansion_ratio": 4,
            "init_config": {"init_std": 0.02, "name": "kaiming_normal_"}, "init_device": "cpu",
            "learned_pos_emb": True, "logit_scale": None, "max_seq_len": 2048, "model_type": "mpt",
            "n_heads": 32, "n_layers": 32, "no_bias": True, "norm_type": "low_precision_layernorm",
            "resid_pdrop": 0, "tokenizer_name": "EleutherAI/gpt-neox-20b", "torch_dtype": "bfloat16",
            "use_cache": False, "verbose": 0, "vocab_size": 50432,
        },
        6_649_286_656,
    ),
    "tiiuae/falcon-7b": (
        {
            **COMMON, "alibi": False, "apply_residual_connection_post_layernorm": False,
            "architectures": ["FalconForCausalLM"], "attention_dropout": 0.0, "bias": False,
            "bos_token_id": 11,
            "eos_token_id": 11, "hidden_dropout": 0.0, "hidden_size": 4544, "model_type": "falcon",
            "multi_query": True, "new_decoder_architecture": False, "num_attention_heads": 71,
            "num_hidden_layers": 32, "parallel_attn": True, "torch_dtype": "bfloat16", "vocab_size": 65024,
        },
        6_921_720_704,
    ),
    "bigcode/starcoder": (
        {
            **COMMON, **SUMMARY, **SOME_DROPOUT, "activation_function": "gelu",
            "architectures": ["GPTBigCodeForCausalLM"], "attention_softmax_in_fp32": True, "bos_token_id": 0,
            "eos_token_id": 0, "inference_runner": 0, "max_batch_size": None, "max_sequence_length": None,
            "model_type": "gpt_bigcode", "multi_query": True, "n_embd": 6144, "n_head": 48, "n_inner": 24576,
            "n_layer": 40, "n_positions": 8192, "pad_key_length": True, "pre_allocate_kv_cache": False,
            "scale_attention_softmax_in_fp32": True, "scale_attn_weights": True,
            "validate_runner_input": True,
            "vocab_size": 49152,
        },
        15_517_456_384,
    ),
    "microsoft/phi-2": (
        {
            "architectures": ["PhiForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 50256,
            "embd_pdrop": 0.0, "eos_token_id": 50256, "hidden_act": "gelu_new", "hidden_size": 2560,
            "initializer_range": 0.02, "intermediate_size": 10240, "layer_norm_eps": 1e-05,
            "max_position_embeddings": 2048, "model_type": "phi", "num_attention_heads": 32,
            "num_hidden_layers": 32, "num_key_value_heads": 32, "partial_rotary_factor": 0.4,
            "qk_layernorm": False, "resid_pdrop": 0.1, "rope_scaling": None, "rope_theta": 10000.0,
            "tie_word_embeddings": False, "torch_dtype": "float16", "use_cache": True, "vocab_size": 51200,
        },
        2_779_683_840,
    ),
    "adept/persimmon-8b-base": (
        {
            "architectures": ["PersimmonForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 71013,
            "eos_token_id": 71013, "hidden_act": "relu2", "hidden_size": 4096,
            "initializer_range": 0.02, "intermediate_size": 16384, "layer_norm_eps": 1e-05,
            "max_position_embeddings": 16384, "model_type": "persimmon", "num_attention_heads": 64,
            "num_hidden_layers": 36, "num_key_value_heads": 64, "qk_layernorm": True, "rope_scaling": None,
            "rope_theta": 25000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_cache": True,
            "vocab_size": 262144,
        },
        9_397_175_296,
    ),
    "CohereLabs/c4ai-command-r-v01": (
        {
            "architectures": ["CohereForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
            "bos_token_id": 5, "eos_token_id": 255001, "hidden_act": "silu", "hidden_size": 8192,
            "initializer_range": 0.02, "intermediate_size": 22528, "layer_norm_eps": 1e-05,
            "logit_scale": 0.0625, "max_position_embeddings": 8192, "model_max_length": 131072,
            "model_type": "cohere", "num_attention_heads": 64, "num_hidden_layers": 40,
            "num_key_value_heads": 64, "pad_token_id": 0, "rope_theta": 8000000.0, "torch_dtype": "float16",
            "use_cache": True, "vocab_size": 256000,
        },
        34_980_831_232,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_config_is_read_whole(name: str) -> None:
    """Every field is known, and the model has as many parameters as that of `transformers`."""
    fields, params = PUBLISHED[name]
    config = read_hub_config(fields)
    assert model_cost(config).params == params
    again = read_hub_config(build_hub_config(config, fields["model_type"]))
    assert find_difference(Meaning(config), Meaning(again)) is None


@pytest.mark.parametrize("name", [name for name in PUBLISHED if "codegen" not in name])
def test_its_own_family_is_the_first_choice(name: str) -> None:
    """Except for CodeGen, whose heads only lie otherwise than those of GPT-J."""
    fields, _ = PUBLISHED[name]
    assert find_families(read_hub_config(fields))[0] == fields["model_type"]


def test_what_older_spellings_say() -> None:
    configs = {name: read_hub_config(fields) for name, (fields, _) in PUBLISHED.items()}
    assert configs["microsoft/phi-2"].position.fraction == 0.4
    assert configs["EleutherAI/gpt-j-6b"].position.fraction == 0.25, "64 of 256"
    assert configs["bigscience/bloom-560m"].emb_dim == 1024
    assert configs["adept/persimmon-8b-base"].position.base == 25000.0
    assert configs["cerebras/Cerebras-GPT-111M"].activation == "gelu"
    stories = configs["roneneldan/TinyStories-8M"]
    assert [stories.layer(i).attention.window for i in range(3)] == [None, 256, None]
