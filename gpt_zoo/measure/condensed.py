"""A model for counting, and its modules: nothing is allocated, and what is alike is counted once."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.model import GPTModel

SILENT = (nn.Identity, nn.Dropout)
"""Modules that say nothing about a model."""


@dataclass(frozen=True)
class Condensed:
    """A model on the meta device that has each layer at most twice.

    Args:
        model: Its config is that of the whole model.
        stands_for: The layers of the whole model that each of its own stands for.
    """

    model: GPTModel
    stands_for: tuple[tuple[int, ...], ...]

    def whole(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Counts by name of the module, of which that of the model, which has no name, becomes the whole
        one's."""
        more = [
            (len(layers) - 1) * counts.get(f"blocks.{index}", 0)
            for index, layers in enumerate(self.stands_for)
        ]
        return {**counts, "": counts.get("", 0) + sum(more)}


def build_condensed(config: GPTConfig) -> Condensed:
    """The model without memory and without its many equal layers.

    Two of a kind stay, of which the second stands for all further ones: the first may have to do what the
    others rely on.
    """
    alike: dict[str, list[int]] = {}
    for index in range(config.n_layers):
        alike.setdefault(config.layer(index).model_dump_json(), []).append(index)
    split = [part for places in alike.values() for part in (places[:1], places[1:]) if part]
    stands_for = tuple(sorted(tuple(places) for places in split))
    with torch.device("meta"):
        model = GPTModel(config.model_copy(update={"n_layers": 0}))
        model.config = config
        layers = [config.layer(places[0]) for places in stands_for]
        model.blocks = nn.ModuleList(layer.block.build(layer) for layer in layers)
    return Condensed(model.eval(), stands_for)


@dataclass(frozen=True)
class Place:
    """A module of the whole model, or several that are alike.

    Args:
        name: Path below the model, empty for the model itself; `blocks.0-11` stands for twelve.
        label: The end of the name that no place around it has.
        depth: Number of modules around it.
        count: Modules that it stands for.
        path: Where the first of them is in the condensed model.
    """

    name: str
    label: str
    depth: int
    count: int
    path: str


def list_places(
    condensed: Condensed, tell: Callable[[str], Hashable], depth: int | None = None
) -> Iterator[Place]:
    """The modules of a model, each after what it is part of.

    Modules of a list that are alike in all that is told, such as the layers of most models, share a place.

    Args:
        tell: What is told of the module at a path of the condensed model.
        depth: How far into the model; all the way unless given.
    """
    yield from _Places(condensed, tell, depth).around(Place("", "", 0, 1, ""))


class _Places:
    def __init__(
        self, condensed: Condensed, tell: Callable[[str], Hashable], depth: int | None = None
    ) -> None:
        self.condensed, self.tell, self.depth = condensed, tell, depth

    def around(self, place: Place) -> Iterator[Place]:
        """A place, and those in it."""
        yield place
        if self.depth is not None and place.depth >= self.depth:
            return
        for key, child in self.condensed.model.get_submodule(place.path).named_children():
            path = _join(place.path, key)
            if isinstance(child, nn.ModuleList):
                for first, indices in self._alike(path, child):
                    label = f"{key}.{format_indices(indices)}"
                    yield from self.around(_inside(place, label, f"{path}.{first}", len(indices)))
            elif not isinstance(child, SILENT):
                yield from self.around(_inside(place, key, path))

    def _alike(self, path: str, modules: nn.ModuleList) -> Iterator[tuple[int, list[int]]]:
        """The modules of a list in groups which nothing tells apart: the first, and where all are in the
        whole model."""
        groups: dict[Any, list[int]] = {}
        for index, module in enumerate(modules):
            inside = f"{path}.{index}"
            told: list[Any] = [(name, self.tell(_join(inside, name))) for name, _ in module.named_modules()]
            if path == "blocks":  # a window is seen in no module, but in the config of its layer
                first = self.condensed.stands_for[index][0]
                told.append(self.condensed.model.config.layer(first).model_dump_json())
            groups.setdefault(tuple(told), []).append(index)
        for group in groups.values():
            if path == "blocks":
                yield group[0], sorted(n for index in group for n in self.condensed.stands_for[index])
            else:
                yield group[0], group


def format_indices(indices: Sequence[int]) -> str:
    """Indices in rising order, short: `3`, `0-11`, `0,2,..,10`, `0,3-5`."""
    steps = {after - before for before, after in pairwise(indices)}
    if len(indices) > 3 and len(steps) == 1 and steps != {1}:
        return f"{indices[0]},{indices[1]},..,{indices[-1]}"
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _inside(place: Place, label: str, path: str, count: int = 1) -> Place:
    return Place(_join(place.name, label), label, place.depth + 1, place.count * count, path)


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name and key else name or key
