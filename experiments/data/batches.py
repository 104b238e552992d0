"""Windows of a token array: for training in random order, for validation in reading order."""

import mmap
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from experiments.data.errors import DataError

Batch = NDArray[np.int64]

_LARGE_BYTES = 1 << 28
"""Fewer are in memory soon: the kernel reads 128 KiB about whatever is asked for."""


class TrainBatches:
    """Windows for training, in an endless order that depends on the seed alone.

    In each epoch the tokens are cut, from a random phase on, into windows that stand `context_length` apart,
    and each window is visited once. What a window holds follows from its number: batches may be of any size,
    and a training that is resumed goes on exactly where it was.

    Args:
        tokens: ids, such as `Tokens.train`.
        context_length: inputs per window.
        seed: of phases and orders.

    Raises:
        DataError: there are fewer than `context_length` + 1 tokens.
    """

    def __init__(self, tokens: NDArray[Any], context_length: int, seed: int) -> None:
        if len(tokens) <= context_length:
            raise DataError(
                f"a context of {context_length} needs {context_length + 1} tokens, "
                f"but there are {len(tokens)}; lower context_length"
            )
        self._context_length = context_length
        self._seed = seed
        self._phases = min(context_length, len(tokens) - context_length)
        self.windows_per_epoch = (len(tokens) - self._phases) // context_length
        """The same for every phase; what the end of the text holds beyond, under two windows, is left out."""
        # Every window that there could be, as a view: rows of it are copied whole, which takes 3 to 25 µs a
        # batch, a third of what an array of all positions takes.
        self._windows = sliding_window_view(np.asarray(tokens), context_length + 1)
        self._map = _map_of(tokens)
        # 10 billion tokens in windows of 1,024: 80 MB, drawn in half a second, once an epoch.
        self._starts = lru_cache(maxsize=2)(self._starts_of_epoch)

    def windows(self, first: int, count: int) -> NDArray[Any]:
        """Windows number `first` to `first` + `count` - 1, in the type that the tokens are kept in.

        Returns:
            (count, context_length + 1): inputs are [:, :-1], targets [:, 1:].
        """
        return self._windows[self._starts_from(first, count)]

    def announce(self, first: int, count: int) -> None:
        """Have the disk read these windows meanwhile, if the tokens may be too many for the memory.

        Left to itself, the kernel waits for each window in turn, and reads far more than it.
        """
        if self._map is None:
            return
        width = self._windows.itemsize
        for start in (self._starts_from(first, count) * width).tolist():
            page = start - start % mmap.PAGESIZE
            with suppress(OSError):  # the tokens are read all the same, later
                self._map.madvise(mmap.MADV_WILLNEED, page, start - page + width * (self._context_length + 1))

    def _starts_from(self, first: int, count: int) -> Batch:
        starts = np.empty(count, dtype=np.int64)
        filled = 0
        while filled < count:
            epoch, place = divmod(first + filled, self.windows_per_epoch)
            part = self._starts(epoch)[place : place + count - filled]
            starts[filled : filled + len(part)] = part
            filled += len(part)
        return starts

    def _starts_of_epoch(self, epoch: int) -> Batch:
        random = np.random.default_rng([self._seed, epoch])
        phase = random.integers(self._phases)
        return phase + self._context_length * random.permutation(self.windows_per_epoch)


def _map_of(tokens: NDArray[Any]) -> mmap.mmap | None:
    """The mapped file that the tokens begin, if it is large and the system takes advice on it."""
    mapped = isinstance(tokens, np.memmap) and tokens.offset == 0 and isinstance(tokens.base, mmap.mmap)
    advisable = mapped and tokens.nbytes >= _LARGE_BYTES and hasattr(mmap, "MADV_WILLNEED")
    return tokens.base if advisable else None  # type: ignore[return-value]


def validation_windows(
    tokens: NDArray[Any], context_length: int, batch_size: int
) -> Iterator[tuple[Batch, Batch]]:
    """Inputs and targets in reading order: every token but the first is a target exactly once.

    Args:
        tokens: ids, such as `Tokens.validation`.
        context_length: inputs per window.
        batch_size: windows per batch, at most.

    Yields:
        Two arrays (windows, context_length); where the text ends within a window, a last pair (1, rest).
    """
    whole = (len(tokens) - 1) // context_length
    for first in range(0, whole, batch_size):
        count = min(batch_size, whole - first)
        start = first * context_length
        # Only this batch is read from disk.
        part = tokens[start : start + count * context_length + 1].astype(np.int64)
        yield part[:-1].reshape(count, context_length), part[1:].reshape(count, context_length)
    rest = tokens[whole * context_length :].astype(np.int64)
    if len(rest) > 1:
        yield rest[None, :-1], rest[None, 1:]
