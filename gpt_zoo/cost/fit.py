"""What fits into a given memory: the largest batch, the longest context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import TrainingStep
from gpt_zoo.cost.parallel import Sharding, device_inference, device_training

PeakBytes = Callable[[int, int], int]
"""The peak of a device in bytes, given its sequences and the tokens of each."""


@dataclass(frozen=True)
class Fit:
    """The largest count that fits.

    Args:
        largest: 0 if not even one fits.
        peak_bytes: Of `largest`; of one, where nothing fits.
        next_bytes: The peak of one more, which does not fit; None if there can be no more, or nothing fits.
    """

    largest: int
    peak_bytes: int
    next_bytes: int | None


def largest_fit(peak: Callable[[int], int], available_bytes: int, most: int | None = None) -> Fit:
    """The largest count whose peak is within `available_bytes`, by bisection.

    Args:
        peak: Of a count, from 1 on; never falls as the count grows.
        most: Beyond which there is nothing.
    """
    least = peak(1)
    if least > available_bytes:
        return Fit(0, least, None)
    fits, beyond = 1, 2
    while (most is None or beyond <= most) and peak(beyond) <= available_bytes:
        fits, beyond = beyond, 2 * beyond
    if most is not None and beyond > most:
        beyond = most + 1
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        if peak(middle) <= available_bytes:
            fits = middle
        else:
            beyond = middle
    return Fit(fits, peak(fits), None if fits == most else peak(fits + 1))


def fit_batch(peak: PeakBytes, available_bytes: int, context_length: int) -> Fit:
    """The most sequences of `context_length` tokens that a device can have."""
    return largest_fit(lambda batch: peak(batch, context_length), available_bytes)


def fit_context(peak: PeakBytes, available_bytes: int, batch_size: int, context_length: int) -> Fit:
    """The most tokens that each of `batch_size` sequences can have, up to the model's `context_length`."""
    return largest_fit(lambda time: peak(batch_size, time), available_bytes, context_length)


def training_peak(
    config: GPTConfig, step: TrainingStep, devices: int = 1, sharding: Sharding = "replicated"
) -> PeakBytes:
    """The peak of a step like `step`, as a function of a device's batch and the context."""

    def peak(batch: int, time: int) -> int:
        own = replace(step, batch_size=batch * devices, context_length=time)
        return device_training(config, own, devices, sharding).peak_bytes

    return peak


def inference_peak(
    config: GPTConfig, bytes_per_value: int = 2, devices: int = 1, sharding: Sharding = "replicated"
) -> PeakBytes:
    """The peak of inference, as a function of a device's batch and the context."""

    def peak(batch: int, time: int) -> int:
        return device_inference(config, devices, sharding, batch * devices, time, bytes_per_value).peak_bytes

    return peak
