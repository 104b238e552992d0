"""What a model is and what its components cost, declared: pydantic and arithmetic, no torch."""

from gpt_zoo.config.gpt import GPT_CONFIG_124M, GPTConfig

__all__ = ["GPT_CONFIG_124M", "GPTConfig"]
