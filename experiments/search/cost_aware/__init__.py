"""Proposing by costs that are known beforehand and a loss that is not."""
