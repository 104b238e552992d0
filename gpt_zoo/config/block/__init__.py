"""Blocks: how attention and feed-forward are joined to a layer."""
