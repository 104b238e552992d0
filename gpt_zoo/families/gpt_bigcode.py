"""SantaCoder and StarCoder: Ben Allal et al. 2023, arXiv:2301.03988; Li et al. 2023, arXiv:2305.06161."""

from typing import Any

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Dropout,
    Family,
    Field,
    Hub,
    HubError,
    Meaning,
    Ours,
    Same,
    attention_kind,
    fused_heads,
    linear,
    norm,
)


def _read_heads(hub: Hub, ours: Ours) -> dict[str, Any]:
    heads = 1 if hub["multi_query"] else ours["n_heads"]
    if hub["num_key_value_heads"] not in (None, heads):
        raise HubError(
            f"`num_key_value_heads` is {hub['num_key_value_heads']!r}, but {heads} by `multi_query`"
        )
    return attention_kind(ours["n_heads"], heads)


def _write_heads(ours: Meaning) -> dict[str, Any]:
    return {"multi_query": ours["attention.n_kv_heads"] == 1}


def _read_scale(hub: Hub, ours: Ours) -> dict[str, Any]:
    return {} if hub["scale_attn_weights"] else {"attention.scale": 1.0}


def _write_scale(ours: Meaning) -> dict[str, Any]:
    return {"scale_attn_weights": ours["attention.scale"] != 1.0}


FAMILY = Family(
    model_type="gpt_bigcode",
    architecture="GPTBigCodeForCausalLM",
    prefix="transformer.",
    always={
        "qkv_bias": True,
        "position.kind": "learned",
        "norm.kind": "layer_norm",
        "feed_forward.kind": "plain",
        "block.kind": "sequential",
    },
    config=[
        Field("vocab_size", "vocab_size"),
        Field("n_positions", "context_length", 1024),
        Field("n_embd", "emb_dim"),
        Field("n_layer", "n_layers"),
        Field("n_head", "n_heads"),
        Field("n_inner", "feed_forward.hidden_dim", None),
        Computed({"multi_query": True, "num_key_value_heads": None}, _read_heads, _write_heads),
        Computed({"scale_attn_weights": True}, _read_scale, _write_scale),
        Field("activation_function", "activation", "gelu_pytorch_tanh", ACTIVATIONS),
        Field("layer_norm_epsilon", "norm.eps", 1e-5),
        Dropout("resid_pdrop", "embd_pdrop", "attn_pdrop", default=0.1),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    ignored={
        # in which precision, and by which program, it is run
        "attention_softmax_in_fp32",
        "scale_attention_softmax_in_fp32",
        "inference_runner",
        "runner_max_sequence_length",
        "validate_runner_input",
        "max_batch_size",
        "max_sequence_length",
        "pad_key_length",
        "pre_allocate_kv_cache",
    },
    tensors=[
        Same("transformer.wte.weight", "token_table.weight"),
        Same("transformer.wpe.weight", "position.table.weight"),
        *norm("transformer.h.{i}.ln_1", "blocks.{i}.attention_norm"),
        *fused_heads("transformer.h.{i}.attn.c_attn"),
        *linear("transformer.h.{i}.attn.c_proj", "blocks.{i}.attention.output"),
        *norm("transformer.h.{i}.ln_2", "blocks.{i}.feed_forward_norm"),
        *linear("transformer.h.{i}.mlp.c_fc", "blocks.{i}.feed_forward.expand"),
        *linear("transformer.h.{i}.mlp.c_proj", "blocks.{i}.feed_forward.output"),
        *norm("transformer.ln_f", "final_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
    ignored_tensors=["transformer.bias", "transformer.h.*.attn.bias", "transformer.h.*.attn.masked_bias"],
)
