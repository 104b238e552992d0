"""Layers which keep nothing but their input for the backward pass."""

from functools import partial

from torch.utils.checkpoint import checkpoint

from gpt_zoo.model import GPTModel


def recompute_layers(model: GPTModel) -> None:
    """Let each layer be computed again in the backward pass, from its input.

    Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
    Cost: one more forward pass of the layers.
    """
    for block in model.blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
