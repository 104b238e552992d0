"""Head modules."""

from gpt_zoo.layers.head.linear import LinearHead

__all__ = ["LinearHead"]
