"""The package of Raschka's book "Build a Large Language Model (From Scratch)"."""

from typing import TYPE_CHECKING

from llms_from_scratch.ch04 import GPTModel

from gpt_zoo.config.gpt import GPTConfig

if TYPE_CHECKING:
    from experiments.bench.peers import Built


def build(config: GPTConfig) -> "Built":
    """The book's model: the seven fields mean the same."""
    fields = (
        "vocab_size", "context_length", "emb_dim", "n_heads", "n_layers", "drop_rate", "qkv_bias"
    )  # fmt: skip
    model = GPTModel({name: getattr(config, name) for name in fields})
    return model, model
