"""Which models a CUDA graph can hold a step of."""

from gpt_zoo.config.gpt import GPTConfig

COPYING = frozenset({"rotary", "alibi"})
"""Positions that bring numbers from the processor to the device in each pass."""


def recording_hindrance(config: GPTConfig) -> str:
    """Why a step of the model cannot be recorded and replayed, or nothing.

    A replay launches the same kernels on the same shapes, and brings nothing from Python along.
    """
    layers = [layer for layer, _ in config.distinct_layers]
    if any(layer.feed_forward.kind == "mixture_of_experts" for layer in layers):
        return "mixture_of_experts sends other numbers of tokens to its experts in each step"
    if copying := COPYING & {layer.position.kind for layer in layers}:
        return f"the position `{min(copying)}` copies from the processor in each pass"
    return ""
