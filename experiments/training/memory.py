"""The peak of memory that a training really reached.

On CUDA the allocator counts it. On a CPU the kernel does, for the process: `memory_bytes` is the high-water
mark of its anonymous memory, less what was in use before the model was built. Pages of files (libraries, the
mapped corpus) are left out: they are there whatever the model is. What torch itself had handed out at once
is told of one step, by torch's profiler.
"""

import gc
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from gpt_zoo.measure.memory import peak_of

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class PeakMemory:
    """Peaks in bytes; None where the system does not tell."""

    memory_bytes: int | None
    process_memory_bytes: int | None


class MemoryMeter:
    """Measures from its construction on; `peak` tells the highest so far."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self.resets = _reset_high_water_mark()
        self.before = _status_bytes("RssAnon") if self.resets else _rusage_peak()
        self.earlier = PeakMemory(None, None)

    def peak(self) -> PeakMemory:
        """The highest since construction."""
        now = self._peak()
        return PeakMemory(
            _highest(self.earlier.memory_bytes, now.memory_bytes),
            _highest(self.earlier.process_memory_bytes, now.process_memory_bytes),
        )

    @contextmanager
    def leaving_out(self) -> Iterator[None]:
        """Do not count what is used within, nor what of it stays: an observer's own memory."""
        if not self.resets:
            yield
            return
        self.earlier, standing = self.peak(), _status_bytes("RssAnon")
        yield
        self.before += max(0, _status_bytes("RssAnon") - standing)
        _reset_high_water_mark()

    def _peak(self) -> PeakMemory:
        process = _status_bytes("VmHWM") if self.resets else _rusage_peak()
        if self.device.type == "cuda":
            return PeakMemory(torch.cuda.max_memory_allocated(self.device), process)
        if self.device.type != "cpu":
            return PeakMemory(None, process)
        # The mark includes pages of files, which only ever grow in number: what they are now they were,
        # nearly, at the mark of a training whose every step reaches the same peak.
        files = _status_bytes("RssFile") + _status_bytes("RssShmem") if self.resets else 0
        return PeakMemory(max(0, process - files - self.before), process)


def _highest(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


@dataclass
class TrackedPeak:
    """The peak of a step in bytes, known when it is over; None where it is not tracked."""

    bytes: int | None = None


@contextmanager
def tracked_step(
    device: torch.device, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
) -> Iterator[TrackedPeak]:
    """Watch what torch hands out on a CPU in the step that is made within, on top of what is standing, which
    is taken to stay: the profiler does not know the size of memory from before it began.

    It costs some 20 ms beyond the step (four layers, 1,800 allocations), which is why one step stands for
    all: the first that finds the optimizers' state there, with a batch of full size. On CUDA torch counts
    anyway: see `MemoryMeter.peak`.
    """
    tracked = TrackedPeak()
    if device.type != "cpu":
        yield tracked
        return
    standing = _standing_bytes(model, optimizers)
    gc.freeze()  # the profile starts with a collection, which would walk through all of torch
    try:
        with peak_of("cpu") as peak, peak.from_here():
            yield tracked
    finally:
        gc.unfreeze()
    tracked.bytes = standing + peak.bytes


def _standing_bytes(model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> int:
    """Of weights, gradients, and the optimizers' state, each memory once."""
    parameters = [*model.parameters()]
    tensors: list[Tensor] = [*model.buffers()]
    for optimizer in optimizers:
        parameters += [parameter for group in optimizer.param_groups for parameter in group["params"]]
        states = (state.values() for state in optimizer.state.values())
        tensors += [value for values in states for value in values if isinstance(value, Tensor)]
    tensors += parameters + [parameter.grad for parameter in parameters if parameter.grad is not None]
    storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def _reset_high_water_mark() -> bool:
    """Whether the kernel could be asked to forget the peak so far (Linux, where permitted)."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _status_bytes(field: str) -> int:
    for line in STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _rusage_peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
