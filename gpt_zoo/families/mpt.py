"""MPT: MosaicML 2023, "Introducing MPT-7B"."""

from gpt_zoo.families.family import (
    QKV,
    Dropout,
    Family,
    Field,
    Nested,
    Only,
    Same,
    fused,
    linear,
    norm,
)

ATTENTION = Nested(
    "attn_config",
    [
        Field("softmax_scale", "attention.scale", None),
        Field("clip_qkv", "attention.clip", None),
        Only("alibi", True),
        Only("alibi_bias_max", 8),  # transformers takes 8, whatever it says
        Only("attn_type", "multihead_attention"),
        Only("prefix_lm", False),
        Only("qk_ln", False),
        Only("attn_uses_sequence_id", False),
    ],
    ignored={"attn_pdrop", "attn_impl"},
)
FAMILY = Family(
    model_type="mpt",
    architecture="MptForCausalLM",
    prefix="transformer.",
    always={
        "activation": "gelu",
        "attention.kind": "multi_head",
        "attention.out_bias": False,
        "position.kind": "alibi",
        "norm.kind": "layer_norm",
        "norm.bias": False,
        "feed_forward.kind": "plain",
        "feed_forward.bias": False,
        "block.kind": "sequential",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_seq_len", "context_length", 2048),
        Field("d_model", "emb_dim"),
        Field("n_layers", "n_layers"),
        Field("n_heads", "n_heads"),
        ATTENTION,
        Only("expansion_ratio", 4),
        Only("no_bias", True),
        Only("logit_scale", None),
        Field("layer_norm_epsilon", "norm.eps", 1e-5),
        Dropout("resid_pdrop", "emb_pdrop"),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={
        "learned_pos_emb",  # gives way to ALiBi
        "embedding_fraction",  # of the gradient
        "norm_type",  # the same norm in other precisions
        "init_config",
        "init_device",
        "tokenizer_name",
        "verbose",
    },
    tensors=[
        Same("transformer.wte.weight", "token_table.weight"),
        *norm("transformer.blocks.{i}.norm_1", "blocks.{i}.attention_norm"),
        *fused("transformer.blocks.{i}.attn.Wqkv", QKV),
        *linear("transformer.blocks.{i}.attn.out_proj", "blocks.{i}.attention.output"),
        *norm("transformer.blocks.{i}.norm_2", "blocks.{i}.feed_forward_norm"),
        *linear("transformer.blocks.{i}.ffn.up_proj", "blocks.{i}.feed_forward.expand"),
        *linear("transformer.blocks.{i}.ffn.down_proj", "blocks.{i}.feed_forward.output"),
        *norm("transformer.norm_f", "final_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
)
