"""Feed-forward networks: what happens to each token on its own."""
