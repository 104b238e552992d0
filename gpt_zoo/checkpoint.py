"""A model in a folder of our own format: its variant as YAML, its weights as safetensors, their checksums.

variant.yaml         the config, with name, description and source if they are known
model.safetensors    the weights, a tied one once
SHA256SUMS           of the two, as `sha256sum --check` reads it
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch

from gpt_zoo.files import written_whole
from gpt_zoo.model import GPTModel
from gpt_zoo.variant_file import SUMS, VARIANT, WEIGHTS, load_variant_config, render_variant
from gpt_zoo.weights import build_empty, fill, weights_of


def save_checkpoint(folder: Path | str, model: GPTModel, story: Mapping[str, str] | None = None) -> None:
    """Write `model` to `folder`, which is made if need be. Each file appears whole or not at all.

    Args:
        story: `name`, `description` and `source` of the variant, as far as they are known.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    folder = Path(folder)
    # What torch.compile gives has the model within, and other names for its weights.
    model = getattr(model, "_orig_mod", model)
    try:
        with written_whole(folder, last=SUMS) as partial:
            (partial / VARIANT).write_text(render_variant(model.config, story), "utf-8")
            safetensors.torch.save_file(weights_of(model), partial / WEIGHTS)
            sums = [f"{_sum_of(partial / name)}  {name}\n" for name in (WEIGHTS, VARIANT)]
            (partial / SUMS).write_text("".join(sums))
    except safetensors.SafetensorError as error:  # is no OSError, though nothing else can go wrong here
        raise OSError(f"{folder / WEIGHTS} cannot be written: {error}") from error


def load_checkpoint(folder: Path | str, device: torch.device | str = "cpu") -> GPTModel:
    """The model that was saved in `folder`, in evaluation mode.

    Raises:
        FileNotFoundError: the folder holds no checkpoint.
        ValueError: a file is not the one that was saved, the config is broken, or the weights are not those
            of such a model.
    """
    folder = Path(folder)
    for name in (VARIANT, WEIGHTS, SUMS):
        if not (folder / name).is_file():
            hub = "; `gpt-zoo import` reads it" if (folder / "config.json").is_file() else ""
            raise FileNotFoundError(f"{folder} is no checkpoint: it holds no {name}{hub}")
    _check_sums(folder)
    config = load_variant_config(folder / VARIANT)
    model = build_empty(config)
    try:
        weights = safetensors.torch.load_file(folder / WEIGHTS, device=str(device))
        return fill(model, weights, device).eval()
    except (RuntimeError, safetensors.SafetensorError) as error:
        raise ValueError(
            f"{folder / WEIGHTS} does not hold the weights of the model in {VARIANT}: {error}"
        ) from error


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_sums(folder: Path) -> None:
    """Compare the files with the checksums that were written with them."""
    lines = (folder / SUMS).read_text("utf-8", errors="replace").splitlines()
    sums = {name.removeprefix("*"): sum_ for sum_, _, name in (line.partition(" ") for line in lines)}
    sums = {name.strip(): sum_ for name, sum_ in sums.items()}
    for name in (VARIANT, WEIGHTS):
        expected, found = sums.get(name), _sum_of(folder / name)
        if expected is None:
            raise ValueError(f"{folder / SUMS} has no line for {name}; copy the folder again")
        if found != expected.lower():
            raise ValueError(
                f"{folder / name} is not the file that was saved: its SHA-256 is {found}, {SUMS} says "
                f"{expected}; copy the folder again"
            )
