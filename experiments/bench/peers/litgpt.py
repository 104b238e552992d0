"""Lightning's litgpt."""

from typing import TYPE_CHECKING

import litgpt

from gpt_zoo.config.gpt import GPTConfig

if TYPE_CHECKING:
    from experiments.bench.peers import Built


def build(config: GPTConfig) -> "Built":
    """As near to GPT-2 as it comes: it has no learned positions, so rotary ones turn the whole head."""
    declared = litgpt.Config(
        block_size=config.context_length,
        vocab_size=config.vocab_size,
        padded_vocab_size=config.vocab_size,
        n_layer=config.n_layers,
        n_head=config.n_heads,
        n_embd=config.emb_dim,
        bias=True,
        norm_class_name="LayerNorm",
        mlp_class_name="GptNeoxMLP",
        gelu_approximate="tanh",
        parallel_residual=False,
        rotary_percentage=1.0,
    )
    model = litgpt.GPT(declared)
    model.apply(model._init_weights)  # as its pretraining does; torch's own rule gives tables of variance 1
    return model, model
