"""The learning rate over a training."""

import math
import sys
from collections.abc import Callable

from experiments.training.config import TrainingConfig

Schedule = Callable[[float, TrainingConfig], float]
"""What is left of the peak, as a share of the way from it to where the schedule ends, after the warm-up."""


def cosine(progress: float, training: TrainingConfig) -> float:
    """Half a cosine.

    Source: Loshchilov and Hutter 2016, "SGDR", arXiv:1608.03983, without restarts.
    """
    return 0.5 * (1 + math.cos(math.pi * _share_since(training.warmup_fraction, progress)))


def linear(progress: float, training: TrainingConfig) -> float:
    """A line."""
    return 1 - _share_since(training.warmup_fraction, progress)


def constant(progress: float, training: TrainingConfig) -> float:
    """The peak."""
    return 1.0


def wsd(progress: float, training: TrainingConfig) -> float:
    """The peak, and at the end 1 - √share: warm-up, stable, decay.

    Sources: Hu et al. 2024, "MiniCPM", arXiv:2404.06395; the form of the decay, which ends lower than a line:
        Hägele et al. 2024, "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations",
        arXiv:2405.18392.
    """
    begin = max(training.warmup_fraction, 1 - training.decay_fraction)
    return 1 - math.sqrt(_share_since(begin, progress))


SCHEDULES: dict[str, Schedule] = {"cosine": cosine, "wsd": wsd, "linear": linear, "constant": constant}


def learning_rate_factor(progress: float, training: TrainingConfig) -> float:
    """The learning rate as a share of its peak: a rise in a line, then the schedule of the training.

    Args:
        progress: Share of the budget spent by the end of this step, above 0 and up to 1.
    """
    if progress < training.warmup_fraction:
        return progress / training.warmup_fraction
    final = training.final_learning_rate_fraction
    return final + (1 - final) * SCHEDULES[training.schedule](progress, training)


def _share_since(begin: float, progress: float) -> float:
    """How much of the budget behind `begin` is spent."""
    left = (1 - progress) / max(1 - begin, sys.float_info.epsilon)
    return min(1.0, max(0.0, 1 - left))
