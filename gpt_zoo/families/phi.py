"""Phi-1, Phi-1.5 and Phi-2: Gunasekar et al. 2023, arXiv:2306.11644; Li et al. 2023, arXiv:2309.05463."""

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Dropout,
    Family,
    Field,
    KeyValueHeads,
    Rotary,
    Same,
    linear,
    norm,
)

FAMILY = Family(
    model_type="phi",
    architecture="PhiForCausalLM",
    always={
        "qkv_bias": True,
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "parallel",
        "head.bias": True,
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_position_embeddings", "context_length", 2048),
        Field("hidden_size", "emb_dim"),
        Field("num_hidden_layers", "n_layers"),
        Field("num_attention_heads", "n_heads"),
        Field("intermediate_size", "feed_forward.hidden_dim"),
        KeyValueHeads(),
        Rotary(fraction="partial_rotary_factor", default_fraction=0.5),
        Field("qk_layernorm", "attention.qk_norm", False, {False: None, True: "head"}),
        Field("hidden_act", "activation", "gelu_new", ACTIVATIONS),
        Field("layer_norm_eps", "norm.eps", 1e-5),
        Dropout("resid_pdrop", "embd_pdrop", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    tensors=[
        Same("model.embed_tokens.weight", "token_table.weight"),
        *norm("model.layers.{i}.input_layernorm", "blocks.{i}.attention_norm"),
        *linear("model.layers.{i}.self_attn.q_proj", "blocks.{i}.attention.query"),
        *linear("model.layers.{i}.self_attn.k_proj", "blocks.{i}.attention.key"),
        *linear("model.layers.{i}.self_attn.v_proj", "blocks.{i}.attention.value"),
        *norm("model.layers.{i}.self_attn.q_layernorm", "blocks.{i}.attention.query_norm"),
        *norm("model.layers.{i}.self_attn.k_layernorm", "blocks.{i}.attention.key_norm"),
        *linear("model.layers.{i}.self_attn.dense", "blocks.{i}.attention.output"),
        *linear("model.layers.{i}.mlp.fc1", "blocks.{i}.feed_forward.expand"),
        *linear("model.layers.{i}.mlp.fc2", "blocks.{i}.feed_forward.output"),
        *norm("model.final_layernorm", "final_norm"),
        *linear("lm_head", "head"),
    ],
)
