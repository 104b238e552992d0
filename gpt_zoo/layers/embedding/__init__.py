"""Embedding modules."""

from gpt_zoo.layers.embedding.token import TokenEmbedding

__all__ = ["TokenEmbedding"]
