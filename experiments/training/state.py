"""A training kept half-way in one safetensors file, the numbers in its metadata; nothing is pickled."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from experiments.data.tokens import Tokens
from experiments.record import CurvePoint
from experiments.run_folder import replacing
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.engine import Engine
from experiments.training.spent import Spent
from gpt_zoo.config.gpt import GPTConfig


def identify_training(
    config: GPTConfig, tokens: Tokens, training: TrainingConfig, budget: BudgetConfig, seed: int
) -> str:
    """All that decides how a training goes on: only a state of the same may be taken up."""
    parts = {
        "config": config.model_dump(mode="json"),
        "tokens": tokens.folder.name,
        "training": training.model_dump(mode="json", exclude={"checkpoint_seconds", "save_weights"}),
        "budget": budget.model_dump(mode="json"),
        "seed": seed,
    }
    return json.dumps(parts, sort_keys=True)


def save_state(path: Path, identity: str, engine: Engine, spent: Spent) -> None:
    """Keep a training in `path`, in place of what was kept before; a crash leaves the one or the other.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    tensors = dict(_tensors(engine))
    numbers = {**vars(spent), "curve": [point.model_dump() for point in spent.curve]}
    del numbers["loop_seconds"]  # is of one process, as are the phases that it is divided into
    metadata = {"training": identity, "spent": json.dumps(numbers)}
    try:
        with replacing(path) as partial:
            safetensors.torch.save_file(tensors, partial, metadata=metadata)
    except safetensors.SafetensorError as error:  # is no OSError, though nothing else can go wrong here
        raise OSError(f"{path} cannot be written: {error}") from error


def restore_state(path: Path, identity: str, engine: Engine, spent: Spent) -> None:
    """Take up the training that was kept in `path`.

    Raises:
        ValueError: the file is damaged, or keeps another training. Nothing is changed then.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("training") != identity:
                raise ValueError("it is another training")
            numbers = json.loads(metadata["spent"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        weights = {name: tensors[f"model/{name}"] for name, _ in engine.weights.named()}
        moments = [_optimizer_state(optimizer, engine, tensors) for optimizer in engine.optimizers]
        random = tensors["random"]
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path} does not hold this training: {error}") from error
    engine.weights.load(weights)
    for optimizer, state in zip(engine.optimizers, moments, strict=True):
        optimizer.load_state_dict(state)  # knows on which device each moment belongs
    torch.set_rng_state(random)
    if "random_cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random_cuda"])
    curve = [CurvePoint.model_validate(point) for point in numbers.pop("curve")]
    vars(spent).update(numbers, curve=curve)


def _tensors(engine: Engine) -> Iterator[tuple[str, Tensor]]:
    """Weights, optimizer moments and random states; `named` tells a tied tensor once."""
    for name, parameter in engine.weights.named():
        yield f"model/{name}", parameter.detach()
        for optimizer in engine.optimizers:
            for key, value in optimizer.state.get(parameter, {}).items():
                yield f"optimizer/{name}/{key}", value
    yield "random", torch.get_rng_state()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        yield "random_cuda", torch.cuda.get_rng_state()


def _optimizer_state(
    optimizer: torch.optim.Optimizer, engine: Engine, tensors: dict[str, Tensor]
) -> dict[str, Any]:
    """The moments as torch names them: by the place of their parameter in the groups."""
    names = {parameter: name for name, parameter in engine.weights.named()}
    ordered = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state = {}
    for index, parameter in enumerate(ordered):
        prefix = f"optimizer/{names[parameter]}/"
        moments = {
            key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
        }
        if moments:  # before the first step there are none
            state[index] = moments
    return {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
