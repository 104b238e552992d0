"""Llama 1 to 3: Touvron et al. 2023, arXiv:2302.13971; Grattafiori et al. 2024, arXiv:2407.21783."""

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Family,
    Field,
    KeyValueHeads,
    Only,
    Rotary,
    Same,
    linear,
    norm,
)

ALWAYS = {
    "norm.kind": "rms_norm",
    "feed_forward.kind": "gated",
    "block.kind": "sequential",
    "attention.out_bias": False,
}
SHAPE = [
    Field("vocab_size", "vocab_size"),
    Field("max_position_embeddings", "context_length"),
    Field("hidden_size", "emb_dim"),
    Field("num_hidden_layers", "n_layers"),
    Field("num_attention_heads", "n_heads"),
]
SIZES = [
    *SHAPE,
    Field("head_dim", "attention.head_dim", None),
    Field("intermediate_size", "feed_forward.hidden_dim"),
]
BIASES = [
    Field("attention_bias", "qkv_bias", False),
    Field("attention_bias", "attention.out_bias", False),
]
QK_NORMS = [
    *norm("model.layers.{i}.self_attn.q_norm", "blocks.{i}.attention.query_norm"),
    *norm("model.layers.{i}.self_attn.k_norm", "blocks.{i}.attention.key_norm"),
]
ATTENTION = [
    *linear("model.layers.{i}.self_attn.q_proj", "blocks.{i}.attention.query"),
    *linear("model.layers.{i}.self_attn.k_proj", "blocks.{i}.attention.key"),
    *linear("model.layers.{i}.self_attn.v_proj", "blocks.{i}.attention.value"),
    *linear("model.layers.{i}.self_attn.o_proj", "blocks.{i}.attention.output"),
]
FEED_FORWARD = [
    *linear("model.layers.{i}.mlp.gate_proj", "blocks.{i}.feed_forward.gate"),
    *linear("model.layers.{i}.mlp.up_proj", "blocks.{i}.feed_forward.expand"),
    *linear("model.layers.{i}.mlp.down_proj", "blocks.{i}.feed_forward.output"),
]
NORMS = [
    *norm("model.layers.{i}.input_layernorm", "blocks.{i}.attention_norm"),
    *norm("model.layers.{i}.post_attention_layernorm", "blocks.{i}.feed_forward_norm"),
]
ENDS = [
    Same("model.embed_tokens.weight", "token_table.weight"),
    *norm("model.norm", "final_norm"),
    *linear("lm_head", "head"),
]

FAMILY = Family(
    model_type="llama",
    architecture="LlamaForCausalLM",
    always=ALWAYS,
    config=[
        *SIZES,
        KeyValueHeads(),
        Rotary(),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-6),
        *BIASES,
        Field("mlp_bias", "feed_forward.bias", False),
        Only("rope_interleaved", False, written=False),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout", "pretraining_tp", "is_llama_config"},
    renamed={"max_sequence_length": "max_position_embeddings"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD],
)
