"""What a built model consists of: a row for each module with its shape, its parameters and its FLOPs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.measure.flops import measure_module_flops
from gpt_zoo.model import GPTModel
from gpt_zoo.weights import build_empty

SILENT = (nn.Identity, nn.Dropout)
"""Modules that say nothing about a model."""


@dataclass(frozen=True)
class ModuleRow:
    """A module, or several that are alike.

    Args:
        name: Path below the model, empty for the model itself; `blocks.0-11` stands for twelve.
        label: The end of the name that no row around it has.
        depth: Number of modules around it.
        count: Modules that it stands for; all numbers are those of one of them.
        kind: Name of the class.
        shape: Of what it gives for one sequence; None if it gives no tensor or is never called.
        params: Parameters, those that an earlier row has excluded.
        tied: Whether it shares parameters with an earlier row.
        flops_forward: Forward pass of one sequence, what is inside included.
    """

    name: str
    label: str
    depth: int
    count: int
    kind: str
    shape: tuple[int, ...] | None
    params: int
    tied: bool
    flops_forward: int


def summarize(
    config: GPTConfig, context_length: int | None = None, depth: int | None = None
) -> list[ModuleRow]:
    """The modules of a model, each after what it is part of. Nothing is allocated.

    Modules of a list that are alike in all that is told, such as the layers of most models, share a row.

    Args:
        context_length: Tokens of the sequence; the config's own unless given.
        depth: How far into the model; all the way unless given.

    Raises:
        ValueError: the sequence does not fit, or the model multiplies in a way that cannot be counted.
    """
    return list(_Summary(build_empty(config).eval(), context_length, depth).rows([""], "", ""))


class _Summary:
    def __init__(self, model: GPTModel, context_length: int | None, depth: int | None) -> None:
        self.model, self.depth = model, depth
        self.modules = dict(model.named_modules())
        self.flops = measure_module_flops(model, context_length)
        self.shapes = _output_shapes(model, context_length or model.config.context_length)
        self.owners: dict[int, str] = {}
        for name, module in self.modules.items():
            for parameter in module.parameters(recurse=False):
                self.owners.setdefault(id(parameter), name)

    def rows(self, names: list[str], around: str, label: str, depth: int = 0) -> Iterator[ModuleRow]:
        """Those of modules that are alike, called `label` inside of `around`, and of what is in them."""
        shown = _join(around, label)
        yield ModuleRow(shown, label, depth, len(names), *self._facts(names[0]))
        if self.depth is not None and depth >= self.depth:
            return
        for key, child in self.modules[names[0]].named_children():
            if isinstance(child, nn.ModuleList):
                for indices in self._alike(_join(names[0], key), len(child)):
                    inner = [_join(name, f"{key}.{index}") for name in names for index in indices]
                    yield from self.rows(inner, shown, f"{key}.{format_indices(indices)}", depth + 1)
            elif not isinstance(child, SILENT):
                yield from self.rows([_join(name, key) for name in names], shown, key, depth + 1)

    def _facts(self, name: str) -> tuple[str, tuple[int, ...] | None, int, bool, int]:
        module = self.modules[name]
        own = {id(p): p.numel() for p in module.parameters() if _is_within(self.owners[id(p)], name)}
        tied = len(own) < len({id(p) for p in module.parameters()})
        return (
            type(module).__name__,
            self.shapes.get(name),
            sum(own.values()),
            tied,
            self.flops.get(name, 0),
        )

    def _alike(self, name: str, length: int) -> list[list[int]]:
        """The modules of a list in groups which nothing tells apart."""
        groups: dict[Any, list[int]] = {}
        for index in range(length):
            inside = f"{name}.{index}"
            told = [
                (other.removeprefix(inside), self._facts(other))
                for other in self.modules
                if _is_within(other, inside)
            ]
            # A window is seen in no module, but in the config of its layer.
            layer = self.model.config.layer(index).model_dump_json() if name == "blocks" else ""
            groups.setdefault((*told, layer), []).append(index)
        return list(groups.values())


def _output_shapes(model: GPTModel, time: int) -> dict[str, tuple[int, ...]]:
    """What each module gives for one sequence, without computing it."""
    shapes: dict[str, tuple[int, ...]] = {}

    def watch(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                shapes[name] = tuple(output.shape)

        return keep

    handles = [module.register_forward_hook(watch(name)) for name, module in model.named_modules()]
    model(torch.zeros(1, time, dtype=torch.long, device="meta"))
    for handle in handles:
        handle.remove()
    return shapes


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


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name and key else name or key


def _is_within(name: str, outer: str) -> bool:
    return not outer or name == outer or name.startswith(f"{outer}.")
