"""Embeddings: from token ids to the residual stream."""
