"""How long steps take: estimated for devices, measured here. The one never stands for the other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from experiments.doctor import THIS, find_this_device, load_machine
from experiments.progress import Progress
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import TrainingStep, inference_memory, training_memory
from gpt_zoo.cost.roofline import BYTES, Device, Phase, TimePrecision, estimate_time, step_works

ESTIMATED: Literal["estimated"] = "estimated"
MEASURED: Literal["measured here"] = "measured here"


@dataclass(frozen=True)
class TimeRow:
    """A step of a phase, on a device.

    Args:
        basis: Whether the time is the least that a device needs by its peaks, or what was measured.
        seconds: Of the step; of the median one if it was measured.
        least_seconds, most_seconds: The fastest and the slowest of the steps that were measured.
        steps, threads: How many they were, and the processor threads that they had.
        bound: What an estimate rests upon: `compute`, `bandwidth`, or `unknown` where no FLOP/s are
            published: then the time is that of the bandwidth, and the step may take any time longer.
        flops_per_byte: Multiplied and moved, as estimated.
        fits: Whether the device has the memory that is predicted for the step.
        share_of_peak: The estimate for this machine, if it has been measured by `gpt-zoo doctor`, as a share
            of the measured time.
    """

    basis: Literal["estimated", "measured here"]
    variant: str
    device: str
    precision: TimePrecision
    phase: Phase
    batch_size: int
    context_length: int
    seconds: float
    tokens_per_second: float
    least_seconds: float | None = None
    most_seconds: float | None = None
    steps: int | None = None
    threads: int | None = None
    bound: str | None = None
    flops_per_byte: float | None = None
    fits: bool | None = None
    share_of_peak: float | None = None


def find_devices(names: Iterable[str]) -> list[Device]:
    """Devices of the table by name, and `this`; several may be in one text, with commas between.

    Raises:
        ValueError: there is no such device, or this machine has not been measured.
    """
    from registry.devices import find_device

    wanted = dict.fromkeys(name.strip() for text in names for name in text.split(","))
    return [find_this_device() if name == THIS else find_device(name) for name in wanted]


def find_precisions(text: str | None) -> list[TimePrecision] | None:
    """`float32,bfloat16` as a list; None where nothing is said.

    Raises:
        ValueError: times are estimated for no such precision.
    """
    if text is None:
        return None
    found: list[TimePrecision] = []
    for name in dict.fromkeys(name.strip() for name in text.split(",")):
        known: TimePrecision | None = next((one for one in get_args(TimePrecision) if one == name), None)
        if known is None:
            raise ValueError(
                f"times are estimated and measured in float32 or bfloat16, got precision `{name}`; "
                f"{did_you_mean(name, get_args(TimePrecision))}"
            )
        found.append(known)
    return found


def estimate_rows(
    configs: Mapping[str, GPTConfig],
    devices: Sequence[Device],
    precisions: Sequence[TimePrecision] | None = None,
    batch_size: int = 1,
    context_length: int | None = None,
) -> Iterator[TimeRow]:
    """The least time of each variant on each device.

    Args:
        precisions: Unless given, float32 on this machine and bfloat16 on others.
    """
    for variant, config in configs.items():
        for device in devices:
            for precision in precisions or [_usual_precision(device)]:
                time = context_length or config.context_length
                for work in step_works(config, batch_size, context_length, precision, device.kernels):
                    needed = _needed_bytes(
                        config, work.phase, TrainingStep(batch_size, time, precision, device=device.kernels)
                    )
                    estimate = estimate_time(work, device, precision)
                    yield TimeRow(
                        ESTIMATED,
                        variant,
                        device.name,
                        precision,
                        work.phase,
                        batch_size,
                        time,
                        estimate.seconds,
                        estimate.tokens_per_second,
                        bound=estimate.bound,
                        flops_per_byte=work.intensity,
                        fits=needed <= device.memory_bytes,
                    )


def _usual_precision(device: Device) -> TimePrecision:
    return "float32" if device.name == THIS else "bfloat16"


def _needed_bytes(config: GPTConfig, phase: Phase, step: TrainingStep) -> int:
    """The peak of memory that is predicted."""
    if phase == "training":
        return training_memory(config, step).peak_bytes
    bytes_per_value = BYTES["float32" if step.precision == "float32" else "bfloat16"]
    return inference_memory(config, step.batch_size, step.context_length, bytes_per_value).peak_bytes


def measure_rows(
    configs: Mapping[str, GPTConfig],
    precisions: Sequence[TimePrecision] | None = None,
    batch_size: int = 1,
    context_length: int | None = None,
    progress: Progress | None = None,
) -> Iterator[TimeRow]:
    """What a few steps of each variant take here, on the fastest device.

    Raises:
        ValueError: a model does not fit into the memory that is free.
    """
    import torch

    from experiments.doctor import usable_threads
    from experiments.progress import Silent
    from gpt_zoo.measure.machine import usable_devices
    from gpt_zoo.measure.time import measure_times

    torch.set_num_threads(usable_threads())
    peaks, device = load_machine(), next(usable_devices())
    for variant, config in configs.items():
        for precision in precisions or ["float32"]:
            kernels = peaks[0].kernels if peaks else "cpu"
            works = step_works(config, batch_size, context_length, precision, kernels)
            with (progress or Silent()).task(f"measuring {variant}") as task:
                tell = lambda note, task=task: task.update(0, note)  # noqa: E731
                timings = measure_times(config, batch_size, context_length, precision, device, tell)
                task.update(0, f"done in {precision}")
            for work, timing in zip(works, timings, strict=True):
                least = estimate_time(work, peaks[0], precision).seconds if peaks else None
                yield TimeRow(
                    MEASURED,
                    variant,
                    THIS,
                    precision,
                    work.phase,
                    batch_size,
                    context_length or config.context_length,
                    timing.median_seconds,
                    timing.tokens_per_second,
                    min(timing.seconds),
                    max(timing.seconds),
                    len(timing.seconds),
                    timing.threads,
                    share_of_peak=least and least / timing.median_seconds,
                )
