"""A model that gets its weights from a file: built without memory, then filled, so that nothing is drawn."""

from collections.abc import Mapping

import torch
from torch import Tensor

from gpt_zoo.allocation import allocate, reset_own
from gpt_zoo.config.base import tell_names
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.model import GPTModel

TABLE, HEAD = "token_table.weight", "head.weight"
"""What tied embeddings have in common."""


def build_empty(config: GPTConfig) -> GPTModel:
    """The model without memory for weights."""
    with torch.device("meta"):
        return GPTModel(config)


def weights_of(model: GPTModel) -> dict[str, Tensor]:
    """A model's weights by name, a tied one once."""
    tied = {HEAD} if model.config.tie_embeddings else set()
    return {
        name: tensor.detach().contiguous() for name, tensor in model.state_dict().items() if name not in tied
    }


def fill(model: GPTModel, weights: Mapping[str, Tensor], device: torch.device | str = "cpu") -> GPTModel:
    """Put tensors in the place of the weights of a model that `build_empty` made. Buffers, which are
    not saved, are written anew.

    Args:
        weights: By name, a tied one once.

    Raises:
        RuntimeError: names or shapes are not those of the model.
    """
    for module in model.modules():
        if module._buffers:
            allocate(module, device, recurse=False)
            reset_own(module)
    expected = {name: tensor.shape for name, tensor in weights_of(model).items()}
    found = {name: tensor.shape for name, tensor in weights.items()}
    misfits = {
        "lacks": expected.keys() - found.keys(),
        "has, and such a model has not,": found.keys() - expected.keys(),
        "has other shapes for": {
            name for name in expected.keys() & found.keys() if expected[name] != found[name]
        },
    }
    if told := [f"it {what} {tell_names(names)}" for what, names in misfits.items() if names]:
        raise RuntimeError("; ".join(told))
    filled = {name: weights[name].to(device) for name in expected}
    if model.config.tie_embeddings:
        filled[HEAD] = filled[TABLE]
    model.load_state_dict(filled, assign=True)
    model.tie_weights()
    return model
