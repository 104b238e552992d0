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


def reset_own(module: nn.Module) -> None:
    """Have `module` give values to the parameters and buffers that it has itself.

    Raises:
        ValueError: it has some, and no `reset_parameters`.
    """
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
        return
    own = [
        name for name, _ in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
    ]
    if own and not type(module).__module__.startswith("torch.nn.modules.container"):
        raise ValueError(
            f"{type(module).__name__} has {', '.join(own)} and no `reset_parameters` to give it values; "
            "models are built without memory, so what the constructor wrote is lost: write it in "
            "`reset_parameters`"
        )
