"""Heads: from the residual stream to the logits of the next token."""
