"""Tensors of a model of ours written to a folder, by a family's table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import safetensors.torch
from torch import Tensor

from gpt_zoo.families.engine.hub_folder import INDEX, WEIGHTS
from gpt_zoo.families.engine.read_weights import place_rules
from gpt_zoo.families.engine.tensor_rules import Placement
from gpt_zoo.families.family import Family
from gpt_zoo.model import GPTModel
from gpt_zoo.weights import HEAD, TABLE, weights_of

SHARD_BYTES = 5_000_000_000
ROWS_OF_VOCABULARY = (TABLE, HEAD, "head.bias")


def write_weights(family: Family, model: GPTModel, folder: Path, shard_bytes: int = SHARD_BYTES) -> list[str]:
    """Write the files of the weights, and name them: the index, if there is one, last.

    At no time is more than one file's worth of tensors made besides the model.

    Args:
        folder: Where nothing else is.
        shard_bytes: What a file holds at most, unless a single tensor is larger.
    """
    weights = _cut_weights(model)
    placements = place_rules(family, model.config, weights)
    shards = _into_shards(placements, weights, shard_bytes)
    places: dict[str, str] = {}
    total = 0
    for number, shard in enumerate(shards, 1):
        name = WEIGHTS if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        tensors = {key: tensor for place in shard for key, tensor in _join(place, weights)}
        safetensors.torch.save_file(tensors, folder / name, metadata={"format": "pt"})
        places.update(dict.fromkeys(tensors, name))
        total += sum(tensor.nbytes for tensor in tensors.values())
    names = list(dict.fromkeys(places.values()))
    if len(shards) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")
        names.append(INDEX)
    return names


def _cut_weights(model: GPTModel) -> dict[str, Tensor]:
    """The model's weights, without rows that nothing reads."""
    rows = model.config.vocab_size
    return {
        name: tensor[:rows] if name in ROWS_OF_VOCABULARY else tensor
        for name, tensor in weights_of(model).items()
    }


def _join(placement: Placement, weights: dict[str, Tensor]) -> Iterable[tuple[str, Tensor]]:
    tensors = placement.rule.join([weights[name] for name in placement.ours], placement.layer)
    return zip(placement.hub, (tensor.contiguous().cpu() for tensor in tensors), strict=True)


def _into_shards(
    placements: list[Placement], weights: dict[str, Tensor], shard_bytes: int
) -> list[list[Placement]]:
    """The rows of each file, in order."""
    shards: list[list[Placement]] = [[]]
    filled = 0
    for placement in placements:
        size = sum(weights[name].nbytes for name in placement.ours)
        if filled and filled + size > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(placement)
        filled += size
    return shards


def dtype_name(model: GPTModel) -> str:
    """The type of the weights, as `torch_dtype` has it."""
    return str(next(model.parameters()).dtype).removeprefix("torch.")
