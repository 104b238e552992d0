"""Windows of a token array: for training in random order, for validation in reading order."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.data.errors import DataError

Batch = NDArray[np.int64]


class TrainBatches:
    """Windows for training, in an order that depends on the seed alone.

    In each epoch the tokens are cut, from a random phase on, into windows that stand `context_length` apart,
    and each window is visited once. The windows of a batch follow from its index: a training that is resumed
    goes on exactly where it was.

    Args:
        tokens: ids, such as `Tokens.train`.
        context_length: inputs per window.
        batch_size: windows per batch.
        seed: of phases and orders.

    Raises:
        DataError: there are fewer than `context_length` + 1 tokens.
    """

    def __init__(self, tokens: NDArray[Any], context_length: int, batch_size: int, seed: int) -> None:
        if len(tokens) <= context_length:
            raise DataError(
                f"a context of {context_length} needs {context_length + 1} tokens, "
                f"but there are {len(tokens)}; lower context_length"
            )
        self._tokens = tokens
        self._context_length = context_length
        self._batch_size = batch_size
        self._seed = seed
        self._phases = min(context_length, len(tokens) - context_length)
        self.windows_per_epoch = (len(tokens) - self._phases) // context_length
        """The same for every phase; what the end of the text holds beyond, under two windows, is left out."""
        self._starts = lru_cache(maxsize=2)(self._starts_of_epoch)

    def batch(self, index: int) -> Batch:
        """Batch number `index`, (batch_size, context_length + 1): inputs are [:, :-1], targets [:, 1:]."""
        first = index * self._batch_size
        epochs, slots = np.divmod(np.arange(first, first + self._batch_size), self.windows_per_epoch)
        starts = np.empty(self._batch_size, dtype=np.int64)
        for epoch in np.unique(epochs):
            chosen = epochs == epoch
            starts[chosen] = self._starts(int(epoch))[slots[chosen]]
        windows = starts[:, None] + np.arange(self._context_length + 1)  # (batch, time + 1)
        return np.asarray(self._tokens[windows], dtype=np.int64)

    def _starts_of_epoch(self, epoch: int) -> Batch:
        random = np.random.default_rng([self._seed, epoch])
        phase = random.integers(self._phases)
        return phase + self._context_length * random.permutation(self.windows_per_epoch)


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
