"""What decoding keeps, so that each new token is computed alone: per layer, and for the whole model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from gpt_zoo.token_ids import check_left


class TokenCache:
    """What one layer keeps of each token: keys and values, or what they are expanded from.

    With a window it reserves memory for twice as many tokens, if the capacity is as large.

    Args:
        capacity: Tokens that it must hold.
        window: Tokens that a query sees; older ones are dropped.
    """

    def __init__(self, capacity: int, window: int | None = None) -> None:
        self.window = capacity if window is None else min(window, capacity)
        # Twice the window, so that the tokens which stay are moved to the front only once in a while.
        self.size = min(capacity, 2 * self.window)
        self.end = 0
        self.kept: tuple[Tensor, ...] = ()

    def append(self, *new: Tensor) -> tuple[Tensor, ...]:
        """`new`, each (batch, ..., time, size), behind what its queries can see of the tokens before.

        Returns:
            For each, (batch, ..., up to window - 1 + time, size).
        """
        time = new[0].size(-2)
        if not self.kept:
            self.kept = tuple(x.new_empty(*x.shape[:-2], self.size, x.size(-1)) for x in new)
        before = min(self.end, self.window - 1)
        if self.end + time > self.size:
            self._move_to_front(before)
        if self.end + time > self.size:  # a long prompt: more than is kept
            seen = tuple(
                torch.cat((old[..., :before, :], x), dim=-2) for old, x in zip(self.kept, new, strict=True)
            )
            self.end = min(before + time, self.window)
            for old, x in zip(self.kept, seen, strict=True):
                old[..., : self.end, :] = x[..., -self.end :, :]
            return seen
        for old, x in zip(self.kept, new, strict=True):
            old[..., self.end : self.end + time, :] = x
        self.end += time
        return tuple(old[..., self.end - time - before : self.end, :] for old in self.kept)

    def _move_to_front(self, count: int) -> None:
        for old in self.kept:
            old[..., :count, :] = old[..., self.end - count : self.end, :].clone()
        self.end = count

    def values(self) -> int:
        """Numbers that are kept of one sequence, at most a window of tokens."""
        tokens = min(self.end, self.window)
        return sum(tokens * old[0, ..., 0, :].numel() for old in self.kept)


class StateCache:
    """What one layer of linear attention keeps: a state that has taken in all tokens so far."""

    state: Tensor | None = None

    def values(self) -> int:
        """Numbers that are kept of one sequence."""
        return 0 if self.state is None else self.state[0].numel()


LayerCache = TokenCache | StateCache


class Cache:
    """What a model keeps of a batch of sequences, layer by layer.

    Args:
        layers: One for each layer, as its attention makes it.
        capacity: Tokens that fit.
    """

    def __init__(self, layers: Sequence[LayerCache], capacity: int) -> None:
        self.layers, self.capacity = list(layers), capacity
        self.length = 0
        self.batch_size: int | None = None
        self.real: Bool[Tensor, "batch keys"] | None = None
        self._passing = False

    def values(self) -> int:
        """Numbers that are kept of one sequence."""
        return sum(layer.values() for layer in self.layers)

    def extend(
        self, ids: Tensor, real: Bool[Tensor, "batch time"] | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """The places of new tokens, at the beginning of their pass through the layers.

        Args:
            real: Which of them are no padding; None if all are.

        Returns:
            Their positions, those of all tokens so far, and which of these are no padding.

        Raises:
            ValueError: they do not fit, are of another batch, or are padding behind a token; or the last pass
                failed, so that some layers know more tokens than others.
        """
        self._check(ids)
        time = ids.size(1)
        if self.real is not None or real is not None:
            joined = _joined(self.real, real, ids, self.length)
            check_left(joined)
            self.real = joined
        self._passing, self.batch_size = True, ids.size(0)
        if self.real is None:
            all_positions = torch.arange(self.length + time, device=ids.device)[None]
        else:
            all_positions = places(self.real)
        return all_positions[:, -time:], all_positions, self.real

    def finish(self, time: int) -> None:
        """Count `time` new tokens as seen, now that all layers have them."""
        self._passing = False
        self.length += time

    def _check(self, ids: Tensor) -> None:
        batch, time = ids.shape
        if self._passing:
            raise ValueError(
                "the last forward with this cache failed, it is of no use any more; make a new one"
            )
        if self.batch_size not in (None, batch):
            raise ValueError(
                f"the cache keeps a batch of {self.batch_size} sequences, got {batch}; each batch needs one"
            )
        if self.length + time > self.capacity:
            raise ValueError(
                f"the cache holds {self.capacity} tokens, got {self.length} and {time} more; make it with a "
                f"capacity of {self.length + time}"
            )


def places(real: Bool[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """The position of each token among the real ones of its sequence; padding before them has 0."""
    return (real.long().cumsum(dim=1) - 1).clamp(min=0)


def _joined(old: Tensor | None, new: Tensor | None, ids: Tensor, length: int) -> Tensor:
    """Which of old and new tokens are no padding, where None stands for all of them."""
    if old is None:
        old = torch.ones(ids.size(0), length, dtype=torch.bool, device=ids.device)
    if new is None:
        new = torch.ones(ids.shape, dtype=torch.bool, device=ids.device)
    return torch.cat((old, new), dim=1)
