"""How one model is trained on tokens, within a budget, and what is measured meanwhile."""
