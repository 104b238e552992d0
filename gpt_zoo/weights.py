"""A model that gets its weights from a file: built without memory, then filled, so that nothing is drawn."""

from collections.abc import Mapping

import torch
from torch import Tensor

from gpt_zoo.allocation import allocate
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
    """Put tensors in the place of the weights of a model that `build_empty` made; tables are written.

    Args:
        weights: By name, a tied one once.

    Raises:
        RuntimeError: names or shapes are not those of the model.
    """
    for module in model.modules():
        if module._buffers:
            allocate(module, device, recurse=False)
            module.reset_parameters()  # type: ignore[operator]
    weights = dict(weights)
    if model.config.tie_embeddings:
        if HEAD in weights:
            raise RuntimeError(f"{HEAD} is given, though the head is tied to {TABLE}")
        weights |= {HEAD: weights[TABLE]} if TABLE in weights else {}
    model.load_state_dict({name: tensor.to(device) for name, tensor in weights.items()}, assign=True)
    if model.config.tie_embeddings:
        model.head.weight = model.token_table.weight
    return model
