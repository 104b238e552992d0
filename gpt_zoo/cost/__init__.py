"""What a declared model costs, in closed form: arithmetic over configs, no torch, nothing allocated."""

from gpt_zoo.cost.model import Cost, model_cost

__all__ = ["Cost", "model_cost"]
