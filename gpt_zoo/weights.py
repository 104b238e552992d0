"""A model that gets its weights from a file: built without memory, then filled, so that nothing is drawn."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from gpt_zoo.allocation import allocate, reset_own
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
            reset_own(module)
    expected = {name: tensor.shape for name, tensor in weights_of(model).items()}
    misfits = [
        f"lacks {_few(expected.keys() - weights.keys())}",
        f"has {_few(weights.keys() - expected.keys())}, which such a model has not",
        "has other shapes for "
        + _few(name for name in expected.keys() & weights.keys() if expected[name] != weights[name].shape),
    ]
    if told := [misfit for misfit in misfits if "`" in misfit]:
        raise RuntimeError("it " + "; it ".join(told))
    filled = {name: weights[name].to(device) for name in expected}
    if model.config.tie_embeddings:
        filled[HEAD] = filled[TABLE]
    model.load_state_dict(filled, assign=True)
    model.tie_weights()
    return model


def _few(names: Iterable[str]) -> str:
    """Names as they are told: the first three, and how many more."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(f"`{name}`" for name in ordered[:3]) + more
