"""GPT models: what they are, what they compute, what they cost."""

__version__ = "0.1.0"
