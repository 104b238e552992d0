"""Attention: how a token looks at those before it."""
