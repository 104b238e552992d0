"""What a model is and what it costs, declared: pydantic and arithmetic, no torch."""

from gpt_zoo.config.cost import Cost, model_cost
from gpt_zoo.config.gpt import GPT_CONFIG_124M, GPTConfig

__all__ = ["GPT_CONFIG_124M", "Cost", "GPTConfig", "model_cost"]
