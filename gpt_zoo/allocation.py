"""Memory for modules that were built without."""

import torch
from torch import nn


def allocate(module: nn.Module, device: torch.device | str, *, recurse: bool = True) -> None:
    """Give the parameters and buffers of `module` memory on `device`, with whatever it holds.

    As `module.to_empty` does, which makes torch load its compiler, a second's work, for a tensor of the meta
    device.

    Args:
        recurse: Whether the modules in it get memory too.
    """
    module._apply(  # type: ignore[no-untyped-call]
        lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device=device), recurse=recurse
    )
