"""The device that a training runs on."""

import os

import torch

from experiments.environment import allowed_cores

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""Read by cuBLAS as it starts, with the first product."""
WORKSPACE_SIZES = (":4096:8", ":16:8")
"""With these, says cuBLAS' documentation on reproducibility, streams do not share a workspace."""


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


def device_name(device: torch.device) -> str:
    """What CUDA calls it; empty for any other."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else ""


def use_deterministic() -> None:
    """Let torch use only kernels that give the same bits again, in this whole process, at some cost in speed.

    Raises:
        RuntimeError: (from a step) a part of the model has no such kernel on this device.
        ValueError: the environment asks cuBLAS for a workspace that forbids it.
    """
    if os.environ.setdefault(WORKSPACE, WORKSPACE_SIZES[0]) not in WORKSPACE_SIZES:
        raise ValueError(
            f"{WORKSPACE} must be {' or '.join(WORKSPACE_SIZES)} for deterministic products, "
            f"got {os.environ[WORKSPACE]}; unset it"
        )
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
