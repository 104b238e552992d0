"""lucidrains' x-transformers."""

from typing import TYPE_CHECKING

import x_transformers
from torch import nn

from gpt_zoo.config.gpt import GPTConfig

if TYPE_CHECKING:
    from experiments.bench.peers import Built


def build(config: GPTConfig) -> "Built":
    """A decoder with learned positions and attention by torch's fused kernel."""
    layers = x_transformers.Decoder(
        dim=config.emb_dim,
        depth=config.n_layers,
        heads=config.n_heads,
        attn_dim_head=config.emb_dim // config.n_heads,
        attn_flash=True,
        ff_custom_activation=nn.GELU(approximate="tanh"),
        verbose=False,
    )
    model = x_transformers.TransformerWrapper(
        num_tokens=config.vocab_size, max_seq_len=config.context_length, attn_layers=layers
    )
    return model, model
