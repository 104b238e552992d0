"""Why not even one sequence fits into a given memory, and what would help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from experiments.costs.memory import MemoryQuestion
from experiments.units import format_bytes
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.fit import PeakBytes, fit_context, inference_peak, training_peak
from gpt_zoo.cost.parallel import Sharding, device_inference, device_training

Use = Literal["training", "inference"]
MOST_DEVICES = 4096
"""More are not proposed."""


@dataclass(frozen=True)
class Case:
    """A variant that has to fit.

    Args:
        use: What the memory is for.
        available_bytes: Of a device.
    """

    config: GPTConfig
    question: MemoryQuestion
    use: Use
    available_bytes: int

    @property
    def shardings(self) -> list[Sharding]:
        """What may be divided. Inference has neither gradients nor optimizer state."""
        of_weights = ("replicated", "zero_3")
        return [each for each in self.question.shardings if self.use == "training" or each in of_weights]

    @property
    def context_length(self) -> int:
        """Of the sequences that are asked for."""
        return self.question.step.context_length or self.config.context_length

    def peak(self, sharding: Sharding) -> PeakBytes:
        """The peak of a device."""
        question = self.question
        if self.use == "training":
            return training_peak(self.config, question.step, question.count, sharding)
        return inference_peak(self.config, question.bytes_per_value, question.count, sharding)

    def fits(self, context_length: int) -> bool:
        """Whether each device can have one sequence, with all divided that may be."""
        return self.peak(self.shardings[-1])(1, context_length) <= self.available_bytes


def advise(case: Case) -> str:
    """The least need of a sequence on each device, and the options that would make it fit."""
    options = list(_single_options(case))
    tokens = fit_context(case.peak(case.shardings[-1]), case.available_bytes, 1, case.context_length).largest
    if tokens:
        options.append(f"--context-length {tokens}")
    if devices := _fewest_devices(case, case.context_length):
        options.append(f"--devices {devices}")
    if not options and case.use == "training":
        frugal = _with_step(case, recompute=True, precision="bfloat16_pure")
        if devices := _fewest_devices(frugal, case.context_length):
            options.append(f"--devices {devices} --recompute --precision bfloat16_pure")
    if not options and (devices := _fewest_devices(case, 1)):
        options.append(f"--devices {devices} and a shorter --context-length")
    return _need(case) + (f"; try {', or '.join(options)}" if options else "")


def _single_options(case: Case) -> Iterator[str]:
    step = case.question.step
    if case.use == "inference":
        smaller = replace(case, question=replace(case.question, bytes_per_value=2))
        if case.question.bytes_per_value > 2 and smaller.fits(case.context_length):
            yield "--precision bfloat16"
        return
    if not step.recompute and _with_step(case, recompute=True).fits(case.context_length):
        yield "--recompute"
    pure = _with_step(case, precision="bfloat16_pure")
    if step.precision != "bfloat16_pure" and pure.fits(case.context_length):
        yield "--precision bfloat16_pure"


def _with_step(case: Case, **changes: object) -> Case:
    step = replace(case.question.step, **changes)  # type: ignore[arg-type]
    return replace(case, question=replace(case.question, step=step))


def _fewest_devices(case: Case, context_length: int) -> int | None:
    """The least power of 2 above the devices that there are on which the case fits, fully sharded."""
    devices = 2
    while devices <= MOST_DEVICES:
        more = replace(case, question=replace(case.question, devices=devices))
        if devices > case.question.count and more.fits(context_length):
            return devices
        devices *= 2
    return None


def _need(case: Case) -> str:
    question, sharding = case.question, case.shardings[-1]
    devices, time = question.count, case.context_length
    if case.use == "training":
        step = replace(question.step, batch_size=devices, context_length=time)
        training = device_training(case.config, step, devices, sharding)
        state = training.weights_bytes + training.gradients_bytes + training.optimizer_bytes
        named, peak = "weights, gradients and optimizer state", training.peak_bytes
    else:
        size = question.bytes_per_value
        inference = device_inference(case.config, devices, sharding, devices, time, size)
        state, named, peak = inference.weights_bytes, "weights", inference.peak_bytes
    if state > case.available_bytes:
        return f"{named} alone need {format_bytes(state)}"
    return f"one sequence of {time:,} tokens needs {format_bytes(peak)}"
