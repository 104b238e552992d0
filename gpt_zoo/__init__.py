"""GPT models: what they are, what they compute, what they cost.

from gpt_zoo import GPT_CONFIG_124M, GPTModel
logits = GPTModel(GPT_CONFIG_124M)(torch.randint(0, 50257, (2, 64)))
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gpt_zoo.checkpoint import load_checkpoint, save_checkpoint
    from gpt_zoo.config.gpt import GPT_CONFIG_124M, GPTConfig
    from gpt_zoo.cost.model import Cost, model_cost
    from gpt_zoo.generation import generate, generate_stream, pad_left
    from gpt_zoo.layers.attention import GroupedQueryAttention, MultiHeadAttention
    from gpt_zoo.layers.block import TransformerBlock
    from gpt_zoo.layers.feed_forward import GELU, FeedForward, GatedFeedForward
    from gpt_zoo.layers.norm import LayerNorm, RMSNorm
    from gpt_zoo.measure.flops import measure_flops_forward
    from gpt_zoo.model import GPTModel
    from gpt_zoo.sampling import Sampling

# Each public name and where it lives: found on first use, so that `import gpt_zoo` needs no torch.
_PUBLIC = {
    "GPTConfig": "gpt_zoo.config.gpt",
    "GPT_CONFIG_124M": "gpt_zoo.config.gpt",
    "Cost": "gpt_zoo.cost.model",
    "model_cost": "gpt_zoo.cost.model",
    "GPTModel": "gpt_zoo.model",
    "generate": "gpt_zoo.generation",
    "generate_stream": "gpt_zoo.generation",
    "pad_left": "gpt_zoo.generation",
    "Sampling": "gpt_zoo.sampling",
    "load_checkpoint": "gpt_zoo.checkpoint",
    "save_checkpoint": "gpt_zoo.checkpoint",
    "measure_flops_forward": "gpt_zoo.measure.flops",
    "MultiHeadAttention": "gpt_zoo.layers.attention",
    "GroupedQueryAttention": "gpt_zoo.layers.attention",
    "TransformerBlock": "gpt_zoo.layers.block",
    "FeedForward": "gpt_zoo.layers.feed_forward",
    "GatedFeedForward": "gpt_zoo.layers.feed_forward",
    "GELU": "gpt_zoo.layers.feed_forward",
    "LayerNorm": "gpt_zoo.layers.norm",
    "RMSNorm": "gpt_zoo.layers.norm",
}

__all__ = [  # noqa: RUF022 - in the order in which one meets them
    "GPT_CONFIG_124M",
    "GPTConfig",
    "GPTModel",
    "generate",
    "generate_stream",
    "Sampling",
    "pad_left",
    "save_checkpoint",
    "load_checkpoint",
    "Cost",
    "model_cost",
    "measure_flops_forward",
    "MultiHeadAttention",
    "GroupedQueryAttention",
    "LayerNorm",
    "RMSNorm",
    "GELU",
    "FeedForward",
    "GatedFeedForward",
    "TransformerBlock",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
