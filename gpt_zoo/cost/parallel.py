"""How training and inference divide over devices that each take a part of the batch.

Sources: Rajbhandari et al. 2019, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
arXiv:1910.02054; Zhao et al. 2023, "PyTorch FSDP", arXiv:2304.11277. Amounts sent are those of a ring:
Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import TrainingStep, inference_memory, training_memory
from gpt_zoo.cost.model import model_params

Sharding = Literal["replicated", "zero_1", "zero_2", "zero_3"]
"""What is not the same on all devices but divided among them: nothing (data parallel); the optimizer's state;
gradients too; weights too (fully sharded, FSDP)."""
SHARDINGS: tuple[Sharding, ...] = get_args(Sharding)


@dataclass(frozen=True)
class ModelState:
    """What a training keeps from step to step, in bytes."""

    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int

    def on_a_device(self, devices: int, sharding: Sharding) -> ModelState:
        """The part of it that each device keeps, rounded up."""
        level = SHARDINGS.index(sharding)
        return ModelState(
            weights_bytes=-(-self.weights_bytes // (devices if level >= 3 else 1)),
            gradients_bytes=-(-self.gradients_bytes // (devices if level >= 2 else 1)),
            optimizer_bytes=-(-self.optimizer_bytes // (devices if level >= 1 else 1)),
        )

    def sent_bytes(self, devices: int, sharding: Sharding, passes: int = 1) -> int:
        """What each device sends in a step: with N devices, (N-1)/N of a sum or of a gathering.

        Gradients are summed up, to a part on each device, and gathered if they are replicated; otherwise new
        weights are gathered, or all weights once for each forward and backward pass.

        Args:
            passes: Forward passes of a step. Gradients that are divided are summed up after each.
        """
        if sharding in ("replicated", "zero_1"):
            other = self.gradients_bytes if sharding == "replicated" else self.weights_bytes
            total = self.gradients_bytes + other
        elif sharding == "zero_2":
            total = passes * self.gradients_bytes + self.weights_bytes
        else:
            total = passes * (self.gradients_bytes + 2 * self.weights_bytes)
        return total * (devices - 1) // devices


@dataclass(frozen=True)
class DeviceTraining:
    """What a step of training needs on the fullest of N devices.

    Args:
        batch_size: Sequences of the batch that are its share.
        weights_bytes: That it keeps, as are gradients and optimizer state.
        gathered_bytes: Weights that it holds whole for a while: of the largest layer, and of all that lies
            outside of the layers, which takes part at both ends.
        saved_bytes: For the backward pass.
        transient_bytes: Needed beside all that at the peak.
        peak_bytes: The most that lives at once, less than the sum of all.
        sent_bytes: In a step.
    """

    devices: int
    sharding: Sharding
    batch_size: int
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    gathered_bytes: int
    saved_bytes: int
    transient_bytes: int
    peak_bytes: int
    sent_bytes: int


@dataclass(frozen=True)
class DeviceInference:
    """What inference needs on the fullest of N devices; see `InferenceMemory` and `DeviceTraining`."""

    devices: int
    sharding: Sharding
    batch_size: int
    weights_bytes: int
    gathered_bytes: int
    kv_cache_bytes: int
    activation_bytes: int
    logits_bytes: int
    peak_bytes: int


def device_training(
    config: GPTConfig, step: TrainingStep, devices: int, sharding: Sharding
) -> DeviceTraining:
    """The memory of a step on a device.

    Args:
        step: `batch_size` is that of all devices together.

    Raises:
        ValueError: as for `training_memory`, or devices or a sharding that there cannot be.
    """
    share = _share(step.batch_size, devices, sharding)
    divided = sharding in ("zero_2", "zero_3") and devices > 1
    # Gradients that are divided are whole only in the layer that makes them, in each pass.
    passes = 1 if divided else step.gradient_accumulation
    memory = training_memory(config, replace(step, batch_size=share, gradient_accumulation=passes))
    whole = ModelState(memory.weights_bytes, memory.gradients_bytes, memory.optimizer_bytes)
    kept = whole.on_a_device(devices, sharding)
    gathered = _gathered_params(config, devices, sharding) * memory.weights_bytes // model_params(config)[0]
    if divided and step.gradient_accumulation > 1:
        moments = [replace(moment, gradients=kept.gradients_bytes) for moment in memory.moments]
    else:
        parts = devices if divided else 1
        moments = [replace(moment, gradients=-(-moment.gradients // parts)) for moment in memory.moments]
    *backward, update = moments
    most = max(backward, key=lambda moment: moment.sum)
    return DeviceTraining(
        devices=devices,
        sharding=sharding,
        batch_size=share,
        weights_bytes=kept.weights_bytes,
        gradients_bytes=kept.gradients_bytes,
        optimizer_bytes=kept.optimizer_bytes,
        gathered_bytes=gathered,
        saved_bytes=memory.saved_bytes,
        transient_bytes=(most if most.sum + gathered >= update.sum else update).transient,
        # The optimizer works on what a device keeps: it needs no weights of others.
        peak_bytes=kept.weights_bytes + kept.optimizer_bytes + max(most.sum + gathered, update.sum),
        sent_bytes=whole.sent_bytes(devices, sharding, step.gradient_accumulation),
    )


def device_inference(
    config: GPTConfig,
    devices: int,
    sharding: Sharding,
    batch_size: int = 1,
    context_length: int | None = None,
    bytes_per_value: int = 2,
) -> DeviceInference:
    """The memory of inference on a device; only `zero_3` divides anything but the batch.

    Args:
        batch_size: Of all devices together.

    Raises:
        ValueError: as for `inference_memory`, or devices or a sharding that there cannot be.
    """
    share = _share(batch_size, devices, sharding)
    memory = inference_memory(config, share, context_length, bytes_per_value)
    whole = ModelState(memory.weights_bytes, 0, 0)
    kept = whole.on_a_device(devices, sharding).weights_bytes
    gathered = bytes_per_value * _gathered_params(config, devices, sharding)
    return DeviceInference(
        devices=devices,
        sharding=sharding,
        batch_size=share,
        weights_bytes=kept,
        gathered_bytes=gathered,
        kv_cache_bytes=memory.kv_cache_bytes + memory.kv_cache_reserve_bytes,
        activation_bytes=memory.activation_bytes,
        logits_bytes=memory.logits_bytes,
        peak_bytes=memory.peak_bytes - memory.weights_bytes + kept + gathered,
    )


def _share(batch_size: int, devices: int, sharding: Sharding) -> int:
    """Sequences of the batch on the device that has most of them."""
    if devices < 1:
        raise ValueError(f"a batch is divided over at least 1 device, got {devices}; try 1")
    if sharding not in SHARDINGS:
        raise ValueError(f"no sharding is called `{sharding}`; {did_you_mean(sharding, SHARDINGS)}")
    return -(-batch_size // devices)


def _gathered_params(config: GPTConfig, devices: int, sharding: Sharding) -> int:
    """Parameters that are whole at once where weights are divided."""
    if devices == 1 or sharding != "zero_3":
        return 0
    layers = [(layer.block.params(layer), count) for layer, count in config.distinct_layers]
    outside = model_params(config)[0] - sum(params * count for params, count in layers)
    return outside + max(params for params, _ in layers)
