"""Block modules."""

from gpt_zoo.layers.block.base import Block
from gpt_zoo.layers.block.parallel import ParallelBlock
from gpt_zoo.layers.block.sequential import TransformerBlock

__all__ = ["Block", "ParallelBlock", "TransformerBlock"]
