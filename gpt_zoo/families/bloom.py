"""BLOOM: Le Scao et al. 2022, arXiv:2211.05100."""

from gpt_zoo.families.family import Dropout, Family, Field, Only, Same, fused_heads, linear, norm

FAMILY = Family(
    model_type="bloom",
    architecture="BloomForCausalLM",
    prefix="transformer.",
    renamed={"n_embed": "hidden_size", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer"},
    always={
        "qkv_bias": True,
        "activation": "gelu_tanh",
        "attention.kind": "multi_head",
        "position.kind": "alibi",
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
        "embedding.norm": True,
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("seq_length", "context_length", 2048),
        Field("hidden_size", "emb_dim"),
        Field("n_layer", "n_layers"),
        Field("n_head", "n_heads"),
        Field("layer_norm_epsilon", "norm.eps", 1e-5),
        Only("apply_residual_connection_post_layernorm", False),
        Only("slow_but_exact", False),  # with it, transformers leaves biases out
        Only("n_inner", None),
        Dropout("hidden_dropout", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={
        "pretraining_tp",
        "attention_softmax_in_fp32",
        "bias_dropout_fusion",
        "masked_softmax_fusion",
        "skip_bias_add",
        "skip_bias_add_qkv",
        "offset_alibi",
    },
    tensors=[
        Same("transformer.word_embeddings.weight", "token_table.weight"),
        *norm("transformer.word_embeddings_layernorm", "token_table.norm"),
        *norm("transformer.h.{i}.input_layernorm", "blocks.{i}.attention_norm"),
        *fused_heads("transformer.h.{i}.self_attention.query_key_value"),
        *linear("transformer.h.{i}.self_attention.dense", "blocks.{i}.attention.output"),
        *norm("transformer.h.{i}.post_attention_layernorm", "blocks.{i}.feed_forward_norm"),
        *linear("transformer.h.{i}.mlp.dense_h_to_4h", "blocks.{i}.feed_forward.expand"),
        *linear("transformer.h.{i}.mlp.dense_4h_to_h", "blocks.{i}.feed_forward.output"),
        *norm("transformer.ln_f", "final_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
)
