"""The peak of memory that a training really reached.

On CUDA the allocator counts it. On a CPU the kernel does, for the process: `memory_bytes` is the high-water
mark of its anonymous memory, less what was in use before the model was built. Pages of files (libraries, the
mapped corpus) are left out: they are there whatever the model is.
"""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

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

    def peak(self) -> PeakMemory:
        """The highest since construction."""
        process = _status_bytes("VmHWM") if self.resets else _rusage_peak()
        if self.device.type == "cuda":
            return PeakMemory(torch.cuda.max_memory_allocated(self.device), process)
        if self.device.type != "cpu":
            return PeakMemory(None, process)
        # The mark includes pages of files, which only ever grow in number: what they are now they were,
        # nearly, at the mark of a training whose every step reaches the same peak.
        files = _status_bytes("RssFile") + _status_bytes("RssShmem") if self.resets else 0
        return PeakMemory(max(0, process - files - self.before), process)


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
