"""Block modules."""

from gpt_zoo.layers.block.sequential import TransformerBlock

__all__ = ["TransformerBlock"]
