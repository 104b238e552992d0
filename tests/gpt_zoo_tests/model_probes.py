"""How the tests look into a built model, beside what `gpt_zoo.testing` offers to everybody."""

from gpt_zoo import GPTModel
from gpt_zoo.layers.attention.attend import attend_written_out
from gpt_zoo.testing import random_ids, randomized, unique_numel
from gpt_zoo.weights import build_empty

__all__ = ["build_empty", "random_ids", "randomized", "unique_numel", "write_out_attention"]


def write_out_attention(model: GPTModel) -> GPTModel:
    """Have softmax attention computed step by step, where a kernel would do it at once."""
    for block in model.blocks:
        block.attention.attend = attend_written_out
    return model
