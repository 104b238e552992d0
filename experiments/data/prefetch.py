"""Batches of a training as tensors on its device, prepared while the device computes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

from experiments.data.batches import TrainBatches

Made = TypeVar("Made")


class Prefetcher(Generic[Made]):
    """Makes in a thread what is asked for next, while what was asked for last is used.

    The thread makes all there is, so that `make` never runs twice at once. What it raises is raised in the
    caller, by the call that asks for what could not be made.

    Args:
        make: from the number of the first window and their count.
    """

    def __init__(self, make: Callable[[int, int], Made]) -> None:
        self._make = make
        self._thread = ThreadPoolExecutor(1, "batches")
        self._next: tuple[tuple[int, int], Future[Made]] | None = None

    def get(self, first: int, count: int) -> Made:
        """What `make(first, count)` returns; as many that follow are made from now on."""
        expected, self._next = self._next, None
        if expected is not None and expected[0] == (first, count):
            future = expected[1]
        else:
            if expected is not None:
                expected[1].cancel()
            future = self._thread.submit(self._make, first, count)
        made = future.result()
        self._next = (first + count, count), self._thread.submit(self._make, first + count, count)
        return made

    def close(self) -> None:
        """End the thread, after what it is at."""
        self._thread.shutdown(cancel_futures=True)


class BatchLoader:
    """Batches of a training as tensors on the device, from any window on.

    A batch is expected to go on where the last one ended, with as many windows. One that does not, such as
    where a ramp lets batches grow, is only loaded later.

    Args:
        batches: what is loaded.
        device: where it is wanted.
    """

    def __init__(self, batches: TrainBatches, device: torch.device) -> None:
        self._batches, self._device = batches, device
        # On a CPU a batch takes 7 µs, 0.1 ms where caches are in other use, of a step of 50 ms or
        # more (tests/benchmarks/loader.md): a thread would have nothing to gain.
        self._ahead: Prefetcher[tuple[Tensor, torch.cuda.Event]] | None = None
        if device.type == "cuda":
            self._ahead = Prefetcher(self._send)
            self._copies = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def load(self, first: int, count: int) -> Int[Tensor, "count time_and_one"]:
        """Windows number `first` to `first` + `count` - 1, as int64 on the device."""
        if self._ahead is None:
            windows = torch.from_numpy(self._batches.windows(first, count)).long().to(self._device)
            self._batches.announce(first + count, count)
            return windows
        windows, sent = self._ahead.get(first, count)
        computing = torch.cuda.current_stream(self._device)
        computing.wait_event(sent)
        windows.record_stream(computing)  # or else its memory is given to the next batch while it is read
        return windows

    def close(self) -> None:
        """Prepare no more."""
        if self._ahead is not None:
            self._ahead.close()

    def _send(self, first: int, count: int) -> tuple[Tensor, torch.cuda.Event]:
        """Windows on their way to a CUDA device, and when they are there."""
        self._batches.announce(first, count)
        # Kept small until they are there: ids take 2 or 4 bytes.
        windows = torch.from_numpy(self._batches.windows(first, count)).pin_memory()
        with torch.cuda.stream(self._copies):
            there = windows.to(self._device, non_blocking=True).long()
            return there, self._copies.record_event()
