"""OLMoE: Muennighoff et al. 2024, arXiv:2409.02060."""

from gpt_zoo.families.family import ACTIVATIONS, Family, Field, KeyValueHeads, Only, Rotary
from gpt_zoo.families.llama import ATTENTION, BIASES, ENDS, NORMS, QK_NORMS, SHAPE
from gpt_zoo.families.qwen2_moe import ALWAYS_EXPERTS, EXPERTS, ROUTER

FAMILY = Family(
    model_type="olmoe",
    architecture="OlmoeForCausalLM",
    always=ALWAYS_EXPERTS | {"attention.qk_norm": "width"},
    config=[
        *SHAPE,
        KeyValueHeads(),
        Rotary(),
        *BIASES,
        Only("clip_qkv", None),  # would come after the norms there, before them here
        Field("intermediate_size", "feed_forward.expert.hidden_dim"),
        Field("num_experts", "feed_forward.n_experts", 64),
        Field("num_experts_per_tok", "feed_forward.n_experts_per_token", 8),
        Field("norm_topk_prob", "feed_forward.normalize_weights", False),
        Field("hidden_act", "activation", "silu", ACTIVATIONS),
        Field("rms_norm_eps", "norm.eps", 1e-5),
        Field("tie_word_embeddings", "tie_embeddings", False),
    ],
    ignored={"attention_dropout", "output_router_logits", "router_aux_loss_coef"},
    renamed={"num_local_experts": "num_experts"},
    tensors=[*ENDS, *NORMS, *ATTENTION, *QK_NORMS, *ROUTER, *EXPERTS],
)
