"""Three counts of a model's FLOPs side by side, for each module: closed form, fvcore, torch."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import TRAINING_FORWARDS, model_cost
from gpt_zoo.measure.closed_forms import flops_by_module
from gpt_zoo.measure.condensed import Condensed, Place, build_condensed, list_places
from gpt_zoo.measure.flops import FvcoreCount, TorchCount, count_with_fvcore, count_with_torch

BACKWARD_FORWARDS = TRAINING_FORWARDS - 1
"""Each product has two in the backward pass, for the gradient of either factor."""
DEALT_OUT = (
    "{name}: which experts read a token depends on the data; counted for tokens that are dealt out evenly, "
    "whose sum is that of any other division"
)
NEEDS_DATA = "{name}: cannot be run without data ({reason}), so that its closed form alone is counted"


@dataclass(frozen=True)
class Counts:
    """FLOPs of a module in one pass of one sequence; None where a counter has no say.

    Args:
        closed_form: As its config declares.
        fvcore: As fvcore counts, which knows forward passes only.
        torch: As torch's FlopCounterMode counts.
    """

    closed_form: int | None
    fvcore: int | None
    torch: int | None

    @property
    def agree(self) -> bool:
        """Whether those that have a say are the same integer."""
        return len({self.closed_form, self.fvcore, self.torch} - {None}) <= 1


@dataclass(frozen=True)
class ModuleCounts:
    """The counts of a module, or of one of several that are alike; see `condensed.Place`."""

    place: Place
    forward: Counts
    backward: Counts

    @property
    def agree(self) -> bool:
        """Whether they do in both passes."""
        return self.forward.agree and self.backward.agree


@dataclass(frozen=True)
class Reconciliation:
    """What the three counts of a model are.

    Args:
        context_length: Tokens of the sequence.
        modules: Those that multiply matrices, the whole model first, each after what it is part of.
        left_out: How often each operator occurs in a forward pass that is no matrix multiplication, as fvcore
            calls it.
        notes: What cannot be told from the numbers.
    """

    context_length: int
    modules: tuple[ModuleCounts, ...]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def whole(self) -> ModuleCounts:
        """The counts of the whole model."""
        return self.modules[0]

    @property
    def agree(self) -> bool:
        """Whether the counts are the same for each module, and in sum."""
        return all(module.agree for module in self.modules)


def reconcile(config: GPTConfig, context_length: int | None = None) -> Reconciliation:
    """Count the FLOPs of a model's forward and backward pass in three ways. Nothing is allocated.

    Layers that are alike are counted twice at most, whatever their number.

    Args:
        context_length: Tokens of the sequence; the config's own unless given.

    Raises:
        ValueError: the sequence does not fit, or the model has an operator that looks like a matrix
            multiplication and is not counted.
    """
    time = model_cost(config, context_length).context_length
    condensed = build_condensed(config)
    passes, reasons = _run(condensed, time)
    counts, left_out = _count(condensed, passes, reasons)
    places = list(list_places(condensed, lambda path: counts.get(path, NOTHING)))
    modules = [ModuleCounts(place, *counts.get(place.path, NOTHING)) for place in places]
    multiply = [module for module in modules if module.place.path == "" or not _is_nothing(module.forward)]
    names = {place.path: place.name for place in places}
    return Reconciliation(time, tuple(multiply), left_out, tuple(_notes(condensed, names, reasons)))


NOTHING = (Counts(None, 0, 0), Counts(None, None, 0))
"""Those of a module in which nothing is multiplied."""


def _is_nothing(counts: Counts) -> bool:
    return not (counts.closed_form or counts.fvcore or counts.torch)


@dataclass(frozen=True)
class _Passes:
    """What was seen of the forward and the backward pass of a sequence."""

    time: int
    fvcore: FvcoreCount
    torch: TorchCount
    tokens: Mapping[str, int]


def _run(condensed: Condensed, time: int) -> tuple[_Passes, dict[str, str]]:
    """Both passes; and what had to be left out of them, by path, and why."""
    reasons: dict[str, str] = {}
    try:
        with _watch_tokens(condensed.model) as tokens:
            by_torch = count_with_torch(condensed.model, time)
    except RuntimeError:
        reasons = _set_aside(condensed, time)
        if not reasons:
            raise
        with _watch_tokens(condensed.model) as tokens:
            by_torch = count_with_torch(condensed.model, time)
    return _Passes(time, count_with_fvcore(condensed.model, time), by_torch, tokens), reasons


def _count(
    condensed: Condensed, passes: _Passes, reasons: Mapping[str, str]
) -> tuple[dict[str, tuple[Counts, Counts]], dict[str, int]]:
    """The counts of both passes by path, and the operators that are left out."""
    forms = flops_by_module(condensed, passes.time, passes.tokens)
    by_fvcore, by_torch = passes.fvcore, passes.torch
    unseen = {path: forms[path] for path in reasons}

    def counted(flops: Mapping[str, int], forwards: int = 1) -> dict[str, int]:
        """By path, with what no counter has seen added to all that is around it."""
        total = dict(flops)
        for path, form in unseen.items():
            for around in (path.removesuffix(".feed_forward"), ""):
                total[around] = total.get(around, 0) + forwards * form
        return condensed.whole(total)

    fvcore, forward = counted(by_fvcore.flops), counted(by_torch.forward)
    backward = counted(by_torch.backward, BACKWARD_FORWARDS)
    counts = {}
    for path, _ in condensed.model.named_modules():
        form = forms.get(path)
        twice = None if form is None else BACKWARD_FORWARDS * form
        if path in unseen:
            counts[path] = Counts(form, None, None), Counts(twice, None, None)
        else:
            counts[path] = (
                Counts(form, fvcore.get(path, 0), forward.get(path, 0)),
                Counts(twice, None, backward.get(path, 0)),
            )
    left_out = {
        name: condensed.whole({path: kinds.get(name, 0) for path, kinds in by_fvcore.left_out.items()})[""]
        for name in sorted(by_fvcore.left_out[""])
    }
    return counts, left_out


class StandIn(nn.Module):
    """Gives what it reads, in the place of what cannot be run without data."""

    def forward(self, x: Tensor) -> Tensor:
        """The same."""
        return x


def _set_aside(condensed: Condensed, time: int) -> dict[str, str]:
    """Put a stand-in in the place of each feed-forward network that cannot be run on the meta device: why, by
    path."""
    reasons = {}
    model = condensed.model
    x = torch.empty(1, time, model.config.emb_dim, device="meta")
    for index, block in enumerate(model.blocks):
        try:
            block.get_submodule("feed_forward")(x)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            if "meta" not in reason.lower():
                raise
            reasons[f"blocks.{index}.feed_forward"] = reason
            block.add_module("feed_forward", StandIn())
    return reasons


@contextmanager
def _watch_tokens(model: nn.Module) -> Iterator[dict[str, int]]:
    """Fills, while it lasts, how many vectors each module reads, by its path."""
    read: dict[str, int] = {}

    def watch(name: str) -> Callable[..., None]:
        def add(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            if inputs and isinstance(inputs[0], Tensor):
                read[name] = read.get(name, 0) + prod(inputs[0].shape[:-1])

        return add

    handles = [module.register_forward_pre_hook(watch(name)) for name, module in model.named_modules()]
    try:
        yield read
    finally:
        for handle in handles:
            handle.remove()


def _notes(condensed: Condensed, names: Mapping[str, str], reasons: Mapping[str, str]) -> list[str]:
    """What is to be said of networks whose work depends on the data, under the names that they are shown
    by."""
    config = condensed.model.config
    notes = []
    for index, layers in enumerate(condensed.stands_for):
        path = f"blocks.{index}.feed_forward"
        if path not in names:
            continue
        if path in reasons:
            notes.append(NEEDS_DATA.format(name=names[path], reason=reasons[path]))
        elif isinstance(config.layer(layers[0]).feed_forward, MixtureOfExpertsConfig):
            notes.append(DEALT_OUT.format(name=names[path]))
    return notes
