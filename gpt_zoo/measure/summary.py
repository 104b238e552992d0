"""What a built model consists of: a row for each module with its shape, its parameters and its FLOPs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.measure.condensed import Condensed, build_condensed, list_places
from gpt_zoo.measure.flops import blank_ids, count_with_fvcore
from gpt_zoo.model import GPTModel


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
    condensed = build_condensed(config)
    facts = _facts(condensed, context_length)
    return [
        ModuleRow(place.name, place.label, place.depth, place.count, *facts[place.path])
        for place in list_places(condensed, facts.__getitem__, depth)
    ]


class _Facts(NamedTuple):
    kind: str
    shape: tuple[int, ...] | None
    params: int
    tied: bool
    flops_forward: int


def _facts(condensed: Condensed, context_length: int | None) -> dict[str, _Facts]:
    """What is told of each module, by its path."""
    model = condensed.model
    flops = condensed.whole(count_with_fvcore(model, context_length).flops)
    shapes = _output_shapes(model, context_length)
    owners: dict[int, str] = {}
    for name, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            owners.setdefault(id(parameter), name)
    params, tied = {}, {}
    for name, module in model.named_modules():
        sizes = {id(parameter): parameter.numel() for parameter in module.parameters()}
        own = [size for parameter, size in sizes.items() if _is_within(owners[parameter], name)]
        params[name], tied[name] = sum(own), len(own) < len(sizes)
    params = condensed.whole(params)
    return {
        name: _Facts(type(module).__name__, shapes.get(name), params[name], tied[name], flops.get(name, 0))
        for name, module in model.named_modules()
    }


def _output_shapes(model: GPTModel, context_length: int | None) -> dict[str, tuple[int, ...]]:
    """What each module gives for one sequence, without computing it."""
    shapes: dict[str, tuple[int, ...]] = {}

    def watch(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                shapes[name] = tuple(output.shape)

        return keep

    handles = [module.register_forward_hook(watch(name)) for name, module in model.named_modules()]
    model(blank_ids(model, context_length))
    for handle in handles:
        handle.remove()
    return shapes


def _is_within(name: str, outer: str) -> bool:
    return not outer or name == outer or name.startswith(f"{outer}.")
