"""Hugging Face transformers."""

from typing import TYPE_CHECKING, Any

import transformers
from torch import Tensor

from experiments.bench.shapes import is_plain
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.families import build_hub_config

if TYPE_CHECKING:
    from experiments.bench.peers import Built


def build(config: GPTConfig) -> "Built":
    """A GPT-2 of the shape, or the model of the first family that can express the config."""
    declared: Any
    models: Any = transformers.AutoModelForCausalLM
    if is_plain(config):
        declared = transformers.GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.context_length,
            n_embd=config.emb_dim,
            n_layer=config.n_layers,
            n_head=config.n_heads,
            activation_function="gelu_new",
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            tie_word_embeddings=False,
            use_cache=False,
        )
    else:
        fields = build_hub_config(config)
        declared = transformers.AutoConfig.for_model(**fields | {"use_cache": False})
    model = models.from_config(declared)

    def forward(ids: Tensor) -> Tensor:
        logits: Tensor = model(ids).logits
        return logits

    return model, forward
