"""How long a device needs at least: what it has to multiply against what it has to move.

Source: Williams, Waterman and Patterson 2009, "Roofline: An Insightful Visual Performance Model for Multicore
Architectures", Communications of the ACM 52(4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from gpt_zoo.config.base import Declared
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.decode import decode_macs, values_read
from gpt_zoo.cost.memory import TrainingStep, training_memory
from gpt_zoo.cost.model import FLOPS_PER_MAC, TRAINING_FORWARDS, cache_values, model_cost, model_macs

Phase = Literal["prefill", "decode", "training"]
TimePrecision = Literal["float32", "bfloat16"]
"""Of products. Inference keeps weights and cache in it; training keeps float32 weights (autocast)."""
BYTES = {"float32": 4, "bfloat16": 2}


class Device(Declared):
    """What computes: its peaks, as published or as measured."""

    name: str
    label: str
    memory_bytes: PositiveFloat
    bandwidth_bytes_per_second: PositiveFloat
    """Of its own memory."""
    float32_flops_per_second: PositiveFloat | None = None
    """Of dense matrix products; None where nobody tells."""
    bfloat16_flops_per_second: PositiveFloat | None = None
    """The same with inputs in bfloat16, accumulated in float32; None takes that of float32, where a maker
    tells of no faster one."""
    kernels: Literal["cpu", "cuda"] = "cuda"
    """Whose kernels compute on it: they save different things for the backward pass."""
    source: str
    """Where the numbers come from."""

    def flops_per_second(self, precision: TimePrecision) -> float | None:
        """The peak in a precision; None where nobody tells."""
        own = self.bfloat16_flops_per_second if precision == "bfloat16" else None
        return own or self.float32_flops_per_second


class AttentionTime(Declared):
    """What a forward and a backward pass of causal attention took, the least of several runs, as
    `gpt_zoo.measure.attention` has it."""

    precision: TimePrecision
    """Of queries, keys and values."""
    heads: PositiveInt
    """Of queries, and as many of keys and values."""
    head_dim: PositiveInt
    context_length: PositiveInt
    batch_size: PositiveInt
    """As many as memory and time let."""
    fused_seconds: PositiveFloat
    written_out_seconds: PositiveFloat

    @property
    def gain(self) -> float:
        """How many times as fast as fused it is written out."""
        return self.fused_seconds / self.written_out_seconds


@dataclass(frozen=True)
class Work:
    """What has to be done in one step of a phase.

    Args:
        phase: `prefill` reads B sequences of T tokens, up to the logits of the next; `decode` adds the T-th
            token to each of B sequences, from a cache; `training` is a step of B sequences of T tokens.
        tokens: That it reads, writes or learns from.
        flops: Of matrix products: no pair that the mask hides, and as many logits as are needed.
        moved_bytes: Read from memory and written to it at least, see `prefill_work` and so on.
    """

    phase: Phase
    tokens: int
    flops: int
    moved_bytes: int

    @property
    def intensity(self) -> float:
        """FLOPs a byte."""
        return self.flops / self.moved_bytes


@dataclass(frozen=True)
class Estimate:
    """The least time that a device needs for some work.

    Args:
        compute_seconds: Of the products at the device's peak; None where that is not published.
        memory_seconds: Of the bytes at its bandwidth.
    """

    work: Work
    compute_seconds: float | None
    memory_seconds: float

    @property
    def seconds(self) -> float:
        """The larger of both: they can overlap at best."""
        return max(self.compute_seconds or 0.0, self.memory_seconds)

    @property
    def bound(self) -> Literal["compute", "bandwidth", "unknown"]:
        """Which of both it is."""
        if self.compute_seconds is None:
            return "unknown"
        return "compute" if self.compute_seconds > self.memory_seconds else "bandwidth"

    @property
    def tokens_per_second(self) -> float:
        """At most."""
        return self.work.tokens / self.seconds


def estimate_time(work: Work, device: Device, precision: TimePrecision) -> Estimate:
    """The roofline of `device`."""
    peak = device.flops_per_second(precision)
    return Estimate(
        work,
        None if peak is None else work.flops / peak,
        work.moved_bytes / device.bandwidth_bytes_per_second,
    )


def step_works(
    config: GPTConfig,
    batch_size: int = 1,
    context_length: int | None = None,
    precision: TimePrecision = "bfloat16",
    kernels: Literal["cpu", "cuda"] = "cuda",
) -> list[Work]:
    """The work of one step of each phase.

    Args:
        batch_size: B.
        context_length: T; the config's own unless given.
        kernels: Whose compute, as `TrainingStep.device`.

    Raises:
        ValueError: as for `model_cost` and `training_memory`.
    """
    time = model_cost(config, context_length, batch_size).context_length
    return [
        prefill_work(config, batch_size, time, BYTES[precision]),
        decode_work(config, batch_size, time, BYTES[precision]),
        training_work(config, TrainingStep(batch_size, time, precision, device=kernels)),
    ]


def prefill_work(config: GPTConfig, batch_size: int, time: int, bytes_per_value: int) -> Work:
    """Moved are the weights that are used, once; the cache, written; what passes from layer to layer, written
    and read; the logits of the last tokens. What a layer computes inside is taken to stay on the chip."""
    macs = model_macs(config, time)
    unneeded = config.head.macs(config, time) - config.head.macs(config, 1)
    values = (
        values_read(config, batch_size, time)
        + batch_size * cache_values(config, time)
        + _passed_values(config, batch_size, time)
    )
    flops = FLOPS_PER_MAC * batch_size * (macs.linear - unneeded + macs.windowed)
    return Work("prefill", batch_size * time, flops, values * bytes_per_value)


def decode_work(config: GPTConfig, batch_size: int, context: int, bytes_per_value: int) -> Work:
    """Moved are the weights that are used, once; the cache, read, and what a token adds to it; what passes
    from layer to layer, and the logits."""
    values = (
        values_read(config, batch_size, 1)
        # What one token leaves is what any further one changes: a row, or the state of linear attention.
        + batch_size * (cache_values(config, context) + cache_values(config, 1))
        + _passed_values(config, batch_size, 1)
    )
    flops = FLOPS_PER_MAC * batch_size * decode_macs(config, context)
    return Work("decode", batch_size, flops, values * bytes_per_value)


def _passed_values(config: GPTConfig, batch_size: int, time: int) -> int:
    """The residual stream between the layers, written and read, and the logits of each sequence's last
    token."""
    return 2 * config.n_layers * batch_size * time * config.emb_dim + batch_size * config.embedding.rows(
        config
    )


def training_work(config: GPTConfig, step: TrainingStep) -> Work:
    """Moved are the weights: read forward, backward and by the optimizer, which writes them; their gradients
    and what is saved for the backward pass: written and read; the optimizer's state: read and written."""
    time = step.context_length or config.context_length
    macs, memory = model_macs(config, time), training_memory(config, step)
    moved = 4 * memory.weights_bytes + 2 * (
        memory.gradients_bytes + memory.saved_bytes + memory.optimizer_bytes
    )
    flops = TRAINING_FORWARDS * FLOPS_PER_MAC * step.batch_size * (macs.linear + macs.windowed)
    return Work("training", step.batch_size * time, flops, moved)
