"""Trains a variant at several widths for a few steps, and looks at what comes out of its components."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor, nn

from experiments.coordinates.check import Coordinate, Growing, at_width, head_dim
from experiments.data.batches import TrainBatches
from experiments.data.tokens import Tokens
from experiments.progress import Task
from experiments.training.config import TrainingConfig
from experiments.training.engine import Engine
from experiments.tuning import resolve
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.model import GPTModel

LONGEST = 64
"""Tokens of a sequence: scores and logits are the same numbers at any length."""
BATCH = 8

Activations = dict[str, list[Tensor]]
"""The outputs of each component, one a layer."""


@dataclass(frozen=True)
class Request:
    """A coordinate check.

    Args:
        config: Of the variant.
        training: Its optimizer, learning rate and parametrization; `by_width` is the rule's rate at the
            smallest width, for all widths.
        widths: From the smallest, which is the base of muP.
        steps: Of the optimizer, all on the same batch, at the peak of the learning rate.
        seeds: Each with weights and a batch of its own.
    """

    config: GPTConfig
    training: TrainingConfig
    widths: tuple[int, ...]
    steps: int = 4
    seeds: int = 3
    growing: Growing = "head_dim"

    def model_at(self, width: int) -> GPTConfig:
        """The variant at a width."""
        config = at_width(self.config, width, self.growing)
        return config.model_copy(update={"context_length": min(config.context_length, LONGEST)})

    @property
    def settled(self) -> TrainingConfig:
        """The training of every width."""
        narrowest = self.model_at(self.widths[0])
        plain = {"precision": "float32", "attention_backend": "fused", "compile": "off", "cuda_graphs": "off"}
        base = {"base_width": self.widths[0], "base_head_dim": head_dim(narrowest)}
        training = self.training.model_copy(update={**plain, **base})
        return resolve(training, narrowest, "cpu", None, self.steps)


def measure_coordinates(request: Request, tokens: Tokens, task: Task) -> list[Coordinate]:
    """The sizes and changes of the outputs of each component, by width and step.

    Source: Yang et al. 2022, "Tensor Programs V", appendix D.1, arXiv:2203.03466.
    """
    found = []
    for done, width in enumerate(request.widths):
        task.update(done, f"width {width}")
        runs = [list(_run(request, width, seed, tokens)) for seed in range(request.seeds)]
        for step, at_step in enumerate(zip(*runs, strict=True)):
            for component in at_step[0]:
                sizes, changes = zip(*(seen[component] for seen in at_step), strict=True)
                found.append(Coordinate(component, width, step, fmean(sizes), fmean(changes)))
    return found


def _run(request: Request, width: int, seed: int, tokens: Tokens) -> Iterator[dict[str, tuple[float, float]]]:
    """Size and change of each component, before the first step and after each."""
    torch.manual_seed(seed)
    config, training = request.model_at(width), request.settled
    engine = Engine(config, training, torch.device("cpu"))
    batch = TrainBatches(tokens.train, config.context_length, seed).windows(0, BATCH)
    windows = torch.from_numpy(batch.astype(np.int64))
    first = _activations(engine.model, windows)
    for step in range(request.steps + 1):
        if step:
            engine.step([windows] * training.gradient_accumulation, 1.0)
        yield _compare(_activations(engine.model, windows), first)


def _compare(now: Activations, first: Activations) -> dict[str, tuple[float, float]]:
    return {
        component: (
            fmean(output.abs().mean().item() for output in outputs),
            fmean(
                (output - before).abs().mean().item()
                for output, before in zip(outputs, first[component], strict=True)
            ),
        )
        for component, outputs in now.items()
    }


@torch.no_grad()
def _activations(model: GPTModel, windows: Tensor) -> Activations:
    """What comes out of the components for the inputs of a batch."""
    found: Activations = {"embedding": [], "attention": [], "feed_forward": [], "logits": []}
    blocks: Sequence[nn.Module] = list(model.blocks)
    watched: list[tuple[str, nn.Module]] = [("embedding", model.dropout), ("logits", model.head)]
    for block in blocks:
        watched += [(name, module) for name, module in block.named_children() if name in found]
    with _watching(watched, found):
        model(windows[:, :-1])
    return found


@contextmanager
def _watching(watched: Sequence[tuple[str, nn.Module]], found: Activations) -> Iterator[None]:
    def keep(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda module, inputs, output: found[name].append(output.detach().float())

    handles = [module.register_forward_hook(keep(name)) for name, module in watched]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
