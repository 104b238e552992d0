"""Tensors of a folder brought into a model of ours, by a family's table."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import torch
from torch import Size, Tensor

from gpt_zoo.config.base import tell_names
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.stored_tensors import StoredTensors
from gpt_zoo.families.engine.tensor_rules import Placement
from gpt_zoo.families.family import Family
from gpt_zoo.model import GPTModel
from gpt_zoo.weights import HEAD, TABLE, build_empty, fill, weights_of


def load_model(family: Family, config: GPTConfig, stored: StoredTensors, dtype: torch.dtype) -> GPTModel:
    """The model of a config with weights of a folder, in evaluation mode.

    Raises:
        HubError: tensors are missing or not known, or have other shapes than the config says.
    """
    if config.n_layers > len(stored):  # said before layers beyond number are built
        raise HubError(f"the config has {config.n_layers} layers, but the folder only {len(stored)} tensors")
    model = build_empty(config)
    shapes = {name: tensor.shape for name, tensor in weights_of(model).items()}
    placements = place_rules(family, config, shapes)
    _check_names(family, config, placements, stored)
    state: dict[str, Tensor] = {}
    for placement in placements:
        wanted = [shapes[name] for name in placement.ours]
        for name, part in zip(placement.ours, _split(placement, wanted, stored), strict=True):
            state[name] = part.to(dtype).contiguous()
    return fill(model, state).eval()


def place_rules(family: Family, config: GPTConfig, names: Iterable[str]) -> list[Placement]:
    """Each row of the family at each of its places.

    Raises:
        HubError: a tensor of ours has no row, or has two.
    """
    left = dict.fromkeys(names)
    existing = set(left)
    placements = [place for rule in family.tensors for place in rule.places(config, existing)]
    for placement in placements:
        for name in placement.ours:
            if name not in left:
                raise HubError(f"the table of {family.model_type} has two rows for {name}")
            del left[name]
    if left:
        raise HubError(f"the table of {family.model_type} has no row for {tell_names(left)}")
    return placements


def _check_names(
    family: Family, config: GPTConfig, placements: list[Placement], stored: StoredTensors
) -> None:
    needed = {name for placement in placements for name in placement.hub}
    stored.add_prefix(family.prefix, needed)
    missing = needed - set(stored)
    extra = {
        name
        for name in set(stored) - needed
        if not any(fnmatchcase(name, pattern) for pattern in family.ignored_tensors)
    }
    if config.tie_embeddings:
        extra -= _tied_copies(family, config, stored)
    problems = [f"it lacks {tell_names(missing)}"] if missing else []
    problems += [f"it has {tell_names(extra)}, which its config.json leaves no place for"] if extra else []
    if problems:
        raise HubError(
            f"the folder does not hold the weights of this {family.model_type}: {' and '.join(problems)}"
        )


def _tied_copies(family: Family, config: GPTConfig, stored: StoredTensors) -> set[str]:
    """Heads that a folder has besides the table, which is the head too; they must be the same."""
    both = [place for rule in family.tensors for place in rule.places(config, {HEAD, TABLE})]
    named = {place.ours[0]: place.hub[0] for place in both}
    head, table = named.get(HEAD), named.get(TABLE)
    if head is None or table is None or head not in set(stored) or table not in set(stored):
        return set()
    if not torch.equal(stored.load(head), stored.load(table)):
        raise HubError(
            f"config.json ties the head to the token table, but {head} differs from {table}; set "
            "tie_word_embeddings to false there if the head is meant"
        )
    return {head}


def _split(placement: Placement, wanted: list[Size], stored: StoredTensors) -> list[Tensor]:
    """Ours of a row's tensors, with the shapes that they must have."""
    tensors = [stored.load(name) for name in placement.hub]
    try:
        parts = placement.rule.split(tensors, wanted, placement.layer)
        found = [part.shape for part in parts]
    except (RuntimeError, ValueError, IndexError) as error:
        # Shapes that do not fit end wherever the row cuts.
        raise _misshapen(placement, tensors, wanted) from error
    if found != wanted:
        raise _misshapen(placement, tensors, wanted)
    return parts


def _misshapen(placement: Placement, tensors: list[Tensor], wanted: list[Size]) -> HubError:
    shapes = ", ".join(
        f"{name} {list(tensor.shape)}" for name, tensor in zip(placement.hub, tensors, strict=True)
    )
    ours = ", ".join(
        f"{name} {list(shape)}" for name, shape in zip(placement.ours[:3], wanted[:3], strict=True)
    )
    return HubError(f"{shapes} does not give what config.json says: {ours}")
