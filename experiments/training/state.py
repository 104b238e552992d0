"""A training kept half-way in one safetensors file, the numbers in its metadata; nothing is pickled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from torch import Tensor

from experiments.record import CurvePoint
from gpt_zoo.model import GPTModel

if TYPE_CHECKING:
    from experiments.training.loop import Spent


def save_state(path: Path, model: GPTModel, optimizer: torch.optim.Optimizer, spent: Spent) -> None:
    """Keep a training in `path`, in place of what was kept before; a crash leaves the one or the other."""
    tensors = dict(_tensors(model, optimizer))
    numbers = {**vars(spent), "curve": [point.model_dump() for point in spent.curve]}
    partial = path.with_name(f".{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        safetensors.torch.save_file(tensors, partial, metadata={"spent": json.dumps(numbers)})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def restore_state(path: Path, model: GPTModel, optimizer: torch.optim.Optimizer, spent: Spent) -> None:
    """Take up the training that was kept in `path`.

    Raises:
        ValueError: the file is not the state of a training of this model.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            numbers = json.loads(file.metadata()["spent"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        for name, parameter in model.named_parameters():
            parameter.data.copy_(tensors[f"model/{name}"])
            prefix = f"optimizer/{name}/"
            optimizer.state[parameter] = {
                key.removeprefix(prefix): _placed(value, parameter)
                for key, value in tensors.items()
                if key.startswith(prefix)
            }
    except (safetensors.SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path} does not hold a training of this model: {error}") from error
    torch.set_rng_state(tensors["random"])
    if "random_cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random_cuda"])
    curve = [CurvePoint.model_validate(point) for point in numbers.pop("curve")]
    vars(spent).update(numbers, curve=curve)


def _tensors(model: GPTModel, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    """Weights, optimizer moments and random states; `named_parameters` tells a tied tensor once."""
    for name, parameter in model.named_parameters():
        yield f"model/{name}", parameter.detach()
        for key, value in optimizer.state[parameter].items():
            yield f"optimizer/{name}/{key}", value
    yield "random", torch.get_rng_state()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        yield "random_cuda", torch.cuda.get_rng_state()


def _placed(value: Tensor, parameter: Tensor) -> Tensor:
    """A moment goes to its parameter's device; AdamW's scalar step counter stays where it was made."""
    return value.to(parameter.device) if value.ndim else value
