"""How many sequences the steps of a training see, where batches grow at its beginning.

Counted in whole numbers, so that the place in the data, the budget and the records agree to the sequence.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.training.config import TrainingConfig


def batch_of_step(training: TrainingConfig, step: int) -> int:
    """Sequences that go through the model at once, in each of the batches of a step.

    Args:
        step: From 0 on.
    """
    ramp = training.batch_ramp
    if ramp is None or step >= ramp.steps:
        return training.batch_size
    return ramp.start + (training.batch_size - ramp.start) * step // ramp.steps


def sequences_of_step(training: TrainingConfig, step: int) -> int:
    """Sequences that a step learns from: of all of its batches."""
    return training.gradient_accumulation * batch_of_step(training, step)


def sequences_before(training: TrainingConfig, step: int) -> int:
    """Sequences of all steps before this one; where it begins in the endless row of training windows."""
    ramp = training.batch_ramp
    batches = training.batch_size * step
    if ramp is not None:
        grown = min(step, ramp.steps)
        added = _added(training.batch_size - ramp.start, ramp.steps, grown)
        batches = ramp.start * grown + added + training.batch_size * (step - grown)
    return training.gradient_accumulation * batches


def tokens_after(training: TrainingConfig, steps: int, context_length: int) -> int:
    """Tokens that a training of so many steps has seen."""
    return sequences_before(training, steps) * context_length


def steps_to_see(training: TrainingConfig, sequences: int) -> int:
    """The fewest steps that see so many sequences."""
    ramp = training.batch_ramp
    grown = 0 if ramp is None else ramp.steps
    left = sequences - sequences_before(training, grown)
    if left > 0:
        return grown + -(-left // (training.batch_size * training.gradient_accumulation))
    return bisect_left(range(grown), sequences, key=lambda step: sequences_before(training, step))


def _added(growth: int, steps: int, before: int) -> int:
    """What a ramp of `steps` steps adds to its first batch, summed over those `before` one of its steps.

    Sequence k of the growth is there from step ⌈k·steps / growth⌉ on.
    """
    reached = growth * (before - 1) // steps if before else 0
    return sum(before + -k * steps // growth for k in range(1, reached + 1))
