"""The first GPT: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training"."""

from gpt_zoo.families.family import QKV, Dropout, Family, Field, Same, fused, linear, norm

ACTIVATIONS = {"gelu": "gelu_tanh", "relu": "relu", "silu": "silu", "swish": "silu"}
"""Its own names: what it calls `gelu` is the approximation."""

FAMILY = Family(
    model_type="openai-gpt",
    architecture="OpenAIGPTLMHeadModel",
    prefix="transformer.",
    always={
        "qkv_bias": True,
        "attention.kind": "multi_head",
        "position.kind": "learned",
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
        "block.norm_placement": "post",
        "final_norm": False,
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("n_positions", "context_length", 512),
        Field("n_embd", "emb_dim"),
        Field("n_layer", "n_layers"),
        Field("n_head", "n_heads"),
        Field("afn", "activation", "gelu", ACTIVATIONS),
        Field("layer_norm_epsilon", "norm.eps", 1e-5),
        Dropout("resid_pdrop", "embd_pdrop", "attn_pdrop", default=0.1),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={"n_ctx", "n_special", "predict_special_tokens"},
    tensors=[
        Same("transformer.tokens_embed.weight", "token_table.weight"),
        Same("transformer.positions_embed.weight", "position.table.weight"),
        *fused("transformer.h.{i}.attn.c_attn", QKV, transposed=True),
        *linear("transformer.h.{i}.attn.c_proj", "blocks.{i}.attention.output", transposed=True),
        *norm("transformer.h.{i}.ln_1", "blocks.{i}.attention_norm"),
        *linear("transformer.h.{i}.mlp.c_fc", "blocks.{i}.feed_forward.expand", transposed=True),
        *linear("transformer.h.{i}.mlp.c_proj", "blocks.{i}.feed_forward.output", transposed=True),
        *norm("transformer.h.{i}.ln_2", "blocks.{i}.feed_forward_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
    ignored_tensors=["transformer.h.*.attn.bias", "transformer.position_ids"],
)
