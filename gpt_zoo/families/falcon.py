"""Falcon: Almazrouei et al. 2023, arXiv:2311.16867; Falcon-RW: Penedo et al. 2023, arXiv:2306.01116."""

from typing import Any

from gpt_zoo.config.block.parallel import ParallelBlockConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.families.family import (
    ACTIVATIONS,
    Computed,
    Dropout,
    Family,
    Field,
    Hub,
    HubError,
    Meaning,
    Only,
    Ours,
    Rotary,
    Same,
    attention_kind,
    fused_heads,
    linear,
    norm,
    unsupported,
)

ROTARY = Rotary()


def _read_position(hub: Hub, ours: Ours) -> dict[str, Any]:
    if hub["alibi"]:
        return {"position.kind": "alibi", "position.scaled": True, "position.rounded": True}
    return ROTARY.read(hub, ours)


def _write_position(ours: Meaning) -> dict[str, Any]:
    return {"alibi": ours.component("position")["kind"] == "alibi", **ROTARY.write(ours)}


def _read_architecture(hub: Hub, ours: Ours) -> dict[str, Any]:
    """The new one has groups of heads, and two norms unless told otherwise."""
    norms, heads, n_heads = hub["num_ln_in_parallel_attn"], hub["num_kv_heads"], ours["n_heads"]
    if hub["new_decoder_architecture"]:
        if not hub["parallel_attn"]:
            raise HubError("`parallel_attn` is false, which `new_decoder_architecture` does not go with")
        if norms not in (None, 1, 2):
            raise unsupported("num_ln_in_parallel_attn", norms, (1, 2))
        block = {"block.kind": "parallel", "block.shared_norm": norms == 1}
        return block | attention_kind(n_heads, heads)
    if norms not in (None, 1):
        raise unsupported("num_ln_in_parallel_attn", norms, (None, 1))
    if not hub["multi_query"] and heads not in (None, n_heads):
        raise HubError(f"`num_kv_heads` is {heads!r}, which only goes with `new_decoder_architecture`")
    block = {"block.kind": "parallel" if hub["parallel_attn"] else "sequential"}
    return block | attention_kind(n_heads, 1 if hub["multi_query"] else n_heads)


def _write_architecture(ours: Meaning) -> dict[str, Any]:
    parallel, heads = ours["block.kind"] == "parallel", ours["attention.n_kv_heads"]
    two_norms = parallel and not ours["block.shared_norm"]
    new = parallel and (two_norms or 1 < heads < ours["n_heads"])
    return {
        "new_decoder_architecture": new,
        "parallel_attn": parallel,
        "num_ln_in_parallel_attn": 2 if two_norms else 1,
        "multi_query": heads == 1,
        "num_kv_heads": heads if new else ours["n_heads"],
    }


def _has_two_norms(layer: GPTConfig) -> bool:
    return isinstance(layer.block, ParallelBlockConfig) and not layer.block.shared_norm


def _has_other_norms(layer: GPTConfig) -> bool:
    return not _has_two_norms(layer)


FAMILY = Family(
    model_type="falcon",
    architecture="FalconForCausalLM",
    prefix="transformer.",
    renamed={"n_embed": "hidden_size"},
    always={"norm.kind": "layer_norm", "feed_forward.kind": "plain"},
    config=[
        Field("vocab_size", "vocab_size"),
        Field("max_position_embeddings", "context_length", 2048),
        Field("hidden_size", "emb_dim"),
        Field("num_hidden_layers", "n_layers"),
        Field("num_attention_heads", "n_heads"),
        Field("ffn_hidden_size", "feed_forward.hidden_dim", None),
        Computed(
            {
                "new_decoder_architecture": False,
                "parallel_attn": True,
                "num_ln_in_parallel_attn": None,
                "multi_query": True,
                "num_kv_heads": None,
            },
            _read_architecture,
            _write_architecture,
        ),
        Computed({"alibi": False, **ROTARY.fields()}, _read_position, _write_position),
        Field("activation", "activation", "gelu", ACTIVATIONS),
        Field("layer_norm_epsilon", "norm.eps", 1e-5),
        Field("bias", "qkv_bias", False),
        Field("bias", "attention.out_bias", False),
        Field("bias", "feed_forward.bias", False),
        Only("apply_residual_connection_post_layernorm", False),
        Dropout("hidden_dropout", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    tensors=[
        Same("transformer.word_embeddings.weight", "token_table.weight"),
        *norm("transformer.h.{i}.ln_attn", "blocks.{i}.attention_norm", when=_has_two_norms),
        *norm("transformer.h.{i}.ln_mlp", "blocks.{i}.feed_forward_norm", when=_has_two_norms),
        *norm("transformer.h.{i}.input_layernorm", "blocks.{i}.attention_norm", when=_has_other_norms),
        *norm(
            "transformer.h.{i}.post_attention_layernorm",
            "blocks.{i}.feed_forward_norm",
            when=_has_other_norms,
        ),
        *fused_heads("transformer.h.{i}.self_attention.query_key_value"),
        *linear("transformer.h.{i}.self_attention.dense", "blocks.{i}.attention.output"),
        *linear("transformer.h.{i}.mlp.dense_h_to_4h", "blocks.{i}.feed_forward.expand"),
        *linear("transformer.h.{i}.mlp.dense_4h_to_h", "blocks.{i}.feed_forward.output"),
        *norm("transformer.ln_f", "final_norm"),
        Same("lm_head.weight", "head.weight"),
    ],
)
