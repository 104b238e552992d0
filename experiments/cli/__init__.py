"""The command `gpt-zoo`. It only calls what Python can call too."""
