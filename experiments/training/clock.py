"""Where the time of a training goes."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

Phase = Literal["data", "forward", "backward", "optimizer", "evaluation"]


class PhaseClock:
    """Seconds in each phase, by the clock on the wall.

    On CUDA work is only begun when Python goes on. Waiting for it at each phase would cost what the overlap
    gains, so phases are marked in the device's own stream, and read when a step has ended anyway.

    Args:
        device: That computes.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._cuda = device.type == "cuda"
        self._pending: list[tuple[Phase, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Count the block to a phase."""
        if self._cuda and name != "data":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
            start.record()
            yield
            end.record()
            self._pending.append((name, start, end))
            return
        start_seconds = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start_seconds

    def collect(self) -> None:
        """Read what was marked on the device, which has ended by now."""
        if self._pending:
            self._pending[-1][2].synchronize()
        for name, start, end in self._pending:
            self.seconds[name] += start.elapsed_time(end) / 1000
        self._pending.clear()
