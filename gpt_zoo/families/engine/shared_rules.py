"""What the configs of many families have in common."""

from gpt_zoo.families.engine.config_rules import Only, Rule

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "quick_gelu": "gelu_quick",
    "relu": "relu",
    "relu2": "relu_squared",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "mish": "mish",
    "linear": "identity",
}
"""The names of `transformers`; of several that compute the same, the first is written."""

ALWAYS_CHECKED: tuple[Rule, ...] = (
    Only("is_encoder_decoder", False),
    Only("add_cross_attention", False),
    Only("cross_attention_hidden_size", None),
    Only("quantization_config", None),  # its weights are not numbers as they stand
    Only("per_layer_config", None, {}),
    Only("pruned_heads", None, {}),
)
"""Fields that any config.json may hold; they are not written."""

_TOPICS = {
    "what the folder is, and who wrote it": "architectures auto_map model_type name_or_path _name_or_path "
    "_commit_hash transformers_version torch_dtype dtype",
    "tokens with a meaning, which belong to the tokenizer": "bos_token_id eos_token_id pad_token_id "
    "sep_token_id cls_token_id mask_token_id unk_token_id decoder_start_token_id tokenizer_class prefix",
    "how fresh weights are drawn, and what only training minds": "initializer_range gradient_checkpointing",
    "heads for other tasks": "id2label label2id num_labels _num_labels problem_type finetuning_task "
    "classifier_dropout task_specific_params summary_type summary_use_proj summary_activation "
    "summary_proj_to_labels summary_first_dropout",
    "how it is run": "use_cache output_past output_attentions output_hidden_states return_dict torchscript "
    "use_bfloat16 tf_legacy_loss chunk_size_feed_forward tie_encoder_decoder tie_last_hidden_states "
    "is_decoder attn_implementation _attn_implementation _attn_implementation_autoset "
    "_flash_attn_2_enabled experts_implementation",
    "how text is generated": "max_length min_length max_new_tokens do_sample early_stopping num_beams "
    "num_beam_groups temperature top_k top_p typical_p repetition_penalty length_penalty "
    "diversity_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids "
    "num_return_sequences output_scores return_dict_in_generate forced_bos_token_id forced_eos_token_id "
    "remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens",
}
NOT_COMPUTED = frozenset(name for names in _TOPICS.values() for name in names.split())
"""Fields that change nothing of what a trained model computes."""
