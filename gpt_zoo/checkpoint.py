"""A model in a folder: its weights as safetensors, its config as JSON."""

import json
import os
from pathlib import Path

import safetensors.torch
import torch

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.model import GPTModel

WEIGHTS, CONFIG = "model.safetensors", "config.json"


def save_checkpoint(folder: Path | str, model: GPTModel) -> None:
    """Write `model` to `folder`, which is made if need be. Each file appears whole or not at all.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    partial_config, partial_weights = folder / f".{CONFIG}", folder / f".{WEIGHTS}"
    try:
        partial_config.write_text(model.config.model_dump_json(indent=2))
        safetensors.torch.save_model(model, str(partial_weights))  # a tied tensor is stored once
        os.replace(partial_config, folder / CONFIG)
        os.replace(partial_weights, folder / WEIGHTS)
    except safetensors.SafetensorError as error:  # is no OSError, though nothing else can go wrong here
        raise OSError(f"{folder / WEIGHTS} cannot be written: {error}") from error
    finally:
        partial_config.unlink(missing_ok=True)
        partial_weights.unlink(missing_ok=True)


def load_checkpoint(folder: Path | str, device: torch.device | str = "cpu") -> GPTModel:
    """The model that was saved in `folder`, in evaluation mode.

    Raises:
        FileNotFoundError: the folder holds no checkpoint.
        ValueError: the config is broken, or the weights are not those of such a model.
    """
    folder = Path(folder)
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} is no checkpoint: it holds no {name}")
    try:
        config = GPTConfig.model_validate(json.loads((folder / CONFIG).read_text()))
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} declares no model: {error}") from error
    model = GPTModel(config).to(device)
    try:
        safetensors.torch.load_model(model, str(folder / WEIGHTS), device=str(device))
    except (RuntimeError, safetensors.SafetensorError) as error:
        raise ValueError(
            f"{folder / WEIGHTS} does not hold the weights of the model in {CONFIG}: {error}"
        ) from error
    return model.eval()
