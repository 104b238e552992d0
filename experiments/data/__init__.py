"""Text on disk or on a hub, turned into token arrays for training and for evaluation."""
