"""The learning rate that is best for a model, found by short trainings."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path

import torch
from pydantic import TypeAdapter

from experiments.data.tokens import Tokens
from experiments.progress import Task
from experiments.record import TriedRate
from experiments.run_folder import write_atomically
from experiments.training.config import BatchRampConfig, BudgetConfig, TrainingConfig
from experiments.training.learning_rate import rule_of
from experiments.training.loop import DivergedError, Training
from experiments.training.memory import MemoryMeter
from experiments.training.state import identify_training
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import model_cost

SHARE, LEAST_STEPS = 0.1, 20
"""Of the budget of the training, that each short one has; and of its steps, if there are so many."""
FACTOR = 2.0
"""From one rate to the next."""
MOST_RATES = 7
HORIZON_POWER = 0.32
"""A training that is t times as long has its best rate at t^-0.32 of it. Bjorck et al. 2024, "Scaling Optimal
LR Across Token Horizons", arXiv:2409.19913."""
KEPT: TypeAdapter[list[TriedRate]] = TypeAdapter(list[TriedRate])


def best_rate(losses: Mapping[float, float]) -> float:
    """The rate with the lowest loss; of equal ones the smallest, which is the safest."""
    return min(losses, key=lambda rate: (losses[rate], rate))


def next_rate(losses: Mapping[float, float], start: float) -> float | None:
    """The rate to try next: `start`, its neighbours, then beyond the best one until it has a worse one on
    either side; None when the sweep is at its end.

    Args:
        losses: Of those that were tried; infinite where the training diverged.
    """
    for rate in (start, start / FACTOR, start * FACTOR):
        if rate not in losses:
            return rate
    best = best_rate(losses)
    if len(losses) >= MOST_RATES or min(losses) < best < max(losses):
        return None
    return best / FACTOR if best == min(losses) else best * FACTOR


@dataclass(frozen=True)
class Short:
    """What the short trainings of a sweep have in common.

    Args:
        training: Without `auto`, but for the learning rate.
        budget: Of the training that the rate is for.
        seed: Of each of them.
        meter: Goes on measuring: their steps need the same memory.
    """

    config: GPTConfig
    tokens: Tokens
    training: TrainingConfig
    budget: BudgetConfig
    seed: int
    device: torch.device
    meter: MemoryMeter

    @property
    def steps(self) -> int | None:
        """Of the training that the rate is for; None if time decides."""
        return self.budget.steps_for(model_cost(self.config), self.training)

    @property
    def short_budget(self) -> BudgetConfig:
        """Of each of them, with a whole schedule."""
        if self.steps is None:
            assert self.budget.seconds is not None
            return BudgetConfig(seconds=self.budget.seconds * SHARE)
        return BudgetConfig(steps=min(self.steps, max(LEAST_STEPS, ceil(self.steps * SHARE))))

    @property
    def shift(self) -> float:
        """What the rate that is best for them is multiplied with for the training itself, which is longer."""
        short = self.short_budget
        share = SHARE if self.steps is None or short.steps is None else short.steps / self.steps
        shift: float = share**HORIZON_POWER
        return shift

    def with_rate(self, rate: float) -> TrainingConfig:
        """The declaration of one of them: a batch ramp is shorter too, compiling would take too long."""
        ramp = self.training.batch_ramp
        if ramp is not None:
            ramp = BatchRampConfig(start=ramp.start, steps=max(1, round(ramp.steps * SHARE)))
        changes = {"learning_rate": rate, "batch_ramp": ramp, "evaluations": 1, "compile": "off"}
        return self.training.model_copy(update=changes)

    def identity(self) -> str:
        """All that decides what they come to."""
        return identify_training(self.config, self.tokens, self.training, self.budget, self.seed)


class _Renamed:
    """A Task of a short training, told as a part of the long one, which has not begun."""

    def __init__(self, task: Task, rate: float) -> None:
        self.task, self.rate = task, rate

    def update(self, done: float, note: str = "") -> None:
        self.task.update(0.0, f"learning rate {self.rate:.2g}: {note}")


def find_rate(short: Short, kept: Path, task: Task) -> list[TriedRate]:
    """Sweep, and tell all rates that were tried; those that an interrupted sweep has kept are taken from it.

    Args:
        kept: File for the short trainings that are finished.
        task: Told of each.
    """
    tried = list(_load(kept, short.identity()))
    start = rule_of(short.training, short.config.emb_dim)
    while (rate := next_rate(losses_of(tried), start)) is not None:
        tried.append(_try(short, rate, task))
        content = {"training": short.identity(), "tried": KEPT.dump_python(tried, mode="json")}
        write_atomically(kept, json.dumps(content, indent=1))
    return tried


def losses_of(tried: list[TriedRate]) -> dict[float, float]:
    """Loss by rate; infinite where the training diverged."""
    return {one.learning_rate: inf if one.validation_loss is None else one.validation_loss for one in tried}


def _try(short: Short, rate: float, task: Task) -> TriedRate:
    training = Training(
        short.config,
        short.tokens,
        short.with_rate(rate),
        short.short_budget,
        short.seed,
        short.device,
        meter=short.meter,
    )
    loss = None
    try:
        loss = training.run(_Renamed(task, rate)).curve[-1].validation_loss
    except DivergedError:
        task.update(0.0, f"learning rate {rate:.2g}: diverged")
    flops = training.cost.flops_train(training.tokens_seen())
    return TriedRate(learning_rate=rate, validation_loss=loss, train_flops=flops)


def _load(kept: Path, identity: str) -> Iterator[TriedRate]:
    """What is kept of this very sweep; nothing where the file is damaged, or of another one."""
    try:
        content = json.loads(kept.read_text())
        if content["training"] == identity:
            yield from KEPT.validate_python(content["tried"])
    except (OSError, ValueError, KeyError, TypeError):
        return
