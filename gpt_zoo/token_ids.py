"""What a model refuses to read, before it computes anything."""

import torch
from jaxtyping import Bool
from torch import Tensor

from gpt_zoo.config.gpt import GPTConfig


def check_ids(ids: Tensor, config: GPTConfig, seen: int = 0) -> None:
    """Refuse token ids that the model cannot read.

    Args:
        seen: Tokens that came before, in a cache.

    Raises:
        ValueError: says the rule, the values and the fix.
    """
    if ids.dtype not in (torch.int64, torch.int32):  # the types that an embedding looks up
        raise ValueError(f"token ids must be integers of 64 or 32 bits, got {ids.dtype}; try ids.long()")
    if ids.ndim != 2:
        raise ValueError(
            f"token ids must have the shape (batch, time), got {tuple(ids.shape)}"
            + ("; try ids[None]" if ids.ndim == 1 else "")
        )
    if ids.numel() == 0:
        raise ValueError(f"token ids must not be empty, got the shape {tuple(ids.shape)}")
    if seen + ids.size(1) > config.context_length:
        after = f" after {seen} in the cache" if seen else ""
        raise ValueError(
            f"a sequence must fit the context, got {ids.size(1)} tokens{after} for a context_length of "
            f"{config.context_length}; try ids[:, -{config.context_length}:]"
        )
    # The meta device has no values, and a compiled graph would break at a decision on them.
    if ids.is_meta or torch.compiler.is_compiling():
        return
    low, high = (int(value) for value in ids.aminmax())
    if low < 0 or high >= config.vocab_size:
        raise ValueError(
            f"token ids must lie in 0 to {config.vocab_size - 1}, got {low if low < 0 else high}; "
            f"the tokenizer and the model's vocab_size of {config.vocab_size} do not fit"
        )


def check_mask(mask: Tensor, ids: Tensor) -> Bool[Tensor, "batch time"]:
    """The attention mask of `ids` as truth values.

    Raises:
        ValueError: it has another shape or type, or padding that is not to the left of its sequence.
    """
    if mask.shape != ids.shape:
        raise ValueError(
            f"an attention mask is shaped as the token ids, got {tuple(mask.shape)} and {tuple(ids.shape)}"
        )
    if mask.is_floating_point():
        raise ValueError(
            f"an attention mask is true or 1 where a token is none of the padding, got {mask.dtype}; try "
            "mask == 0 for one that is added to scores, mask.bool() for one of ones and zeros"
        )
    real = mask.bool()
    check_left(real)
    return real


def check_left(real: Bool[Tensor, "batch time"]) -> None:
    """Refuse padding that is not to the left of its sequence.

    Raises:
        ValueError: some stands behind a token.
    """
    if real.is_meta or torch.compiler.is_compiling():
        return
    if bool((real[:, :-1] & ~real[:, 1:]).any()):
        raise ValueError("padding must stand to the left of its sequence, got some behind a token; pad left")
