"""Mixtral: Jiang et al. 2024, arXiv:2401.04088."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Rotary, Window, linear
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, NORMS, SHAPE

FAMILY = Family(
    model_type="mixtral",
    architecture="MixtralForCausalLM",
    always=ALWAYS
    | {
        "feed_forward.kind": "mixture_of_experts",
        "feed_forward.expert.kind": "gated",
        "feed_forward.normalize_weights": True,
    },
    config=[
        *SHAPE,
        Field("head_dim", "attention.head_dim", None),
        KeyValueHeads(default=8),
        Rotary(default_base=1e6),
        Window(),
        Field("intermediate_size", "feed_forward.expert.hidden_dim"),
        Field("num_local_experts", "feed_forward.n_experts", 8),
        Field("num_experts_per_tok", "feed_forward.n_experts_per_token", 2),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout", "output_router_logits", "router_aux_loss_coef", "router_jitter_noise"},
    renamed={"num_experts": "num_local_experts"},
    tensors=[
        *ENDS,
        *NORMS,
        *ATTENTION,
        *linear("model.layers.{i}.block_sparse_moe.gate", "blocks.{i}.feed_forward.router"),
        *linear(
            "model.layers.{i}.block_sparse_moe.experts.{e}.w1", "blocks.{i}.feed_forward.experts.{e}.gate"
        ),
        *linear(
            "model.layers.{i}.block_sparse_moe.experts.{e}.w3", "blocks.{i}.feed_forward.experts.{e}.expand"
        ),
        *linear(
            "model.layers.{i}.block_sparse_moe.experts.{e}.w2", "blocks.{i}.feed_forward.experts.{e}.output"
        ),
    ],
)
