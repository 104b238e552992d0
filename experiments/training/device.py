"""The device that a training runs on."""

import os

import torch

from experiments.environment import allowed_cores


def find_device(name: str) -> torch.device:
    """The device called `name`; `auto` takes the fastest there is.

    Raises:
        ValueError: this machine has no such device.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, there in found.items() if there))
    if not found[name]:
        usable = ", ".join(device for device, there in found.items() if there)
        raise ValueError(f"device `{name}` is not usable on this machine; usable are: auto, {usable}")
    return torch.device(name)


def set_threads(threads: int | None) -> None:
    """Let torch compute with so many threads; None takes OMP_NUM_THREADS, or all cores it may use."""
    if threads is None and "OMP_NUM_THREADS" in os.environ:
        return
    torch.set_num_threads(threads or allowed_cores())
