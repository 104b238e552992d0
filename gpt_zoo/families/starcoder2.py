"""StarCoder 2: Lozhkov et al. 2024, arXiv:2402.19173."""

from gpt_zoo.families.family import (
    ACTIVATIONS,
    Dropout,
    Family,
    Field,
    KeyValueHeads,
    Only,
    Rotary,
    Window,
    linear,
)
from gpt_zoo.families.llama import ALWAYS, ATTENTION, ENDS, NORMS, SIZES

FAMILY = Family(
    model_type="starcoder2",
    architecture="Starcoder2ForCausalLM",
    always=ALWAYS | {"norm.kind": "layer_norm", "feed_forward.kind": "plain"},
    config=[
        *SIZES,
        KeyValueHeads(default=2),
        Rotary(),
        Window(),
        Field("use_bias", "qkv_bias", True),
        Field("use_bias", "attention.out_bias", True),
        Field("use_bias", "feed_forward.bias", True),
        Field("hidden_act", "activation", "gelu_pytorch_tanh", ACTIVATIONS),
        Field("norm_epsilon", "norm.eps", 1e-5),
        Only("mlp_type", "default", written=False),
        Only("norm_type", "layer_norm", written=False),
        Dropout("residual_dropout", "embedding_dropout", "attention_dropout"),
        Field("tie_word_embeddings", "tie_embeddings", True),
    ],
    # From the first StarCoder, not read any more
    ignored={
        "activation_function",
        "attention_softmax_in_fp32",
        "layer_norm_epsilon",
        "scale_attention_softmax_in_fp32",
        "scale_attn_weights",
    },
    tensors=[
        *ENDS,
        *NORMS,
        *ATTENTION,
        *linear("model.layers.{i}.mlp.c_fc", "blocks.{i}.feed_forward.expand"),
        *linear("model.layers.{i}.mlp.c_proj", "blocks.{i}.feed_forward.output"),
    ],
)
