"""Which of the two ways to compute attention is faster here, and up to what context."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from gpt_zoo.cost.roofline import AttentionTime, TimePrecision
from gpt_zoo.layers.attention.attend import attend_fused, attend_written_out
from gpt_zoo.measure.machine import synchronize

CONTEXTS = (64, 128, 256, 512, 1024, 2048)
HEADS = ((4, 32), (12, 64))
"""How many, and their size: those of a model that is trained in seconds, and of GPT-2 small."""
TOKENS, PRODUCT_FLOPS = {"cpu": 2**11}, {"cpu": 2**33}
"""Of a run, about; where a single sequence is more than twice the latter, none is timed."""
TOKENS_ELSEWHERE, PRODUCT_FLOPS_ELSEWHERE = 2**15, 2**40
"""The same for others than a CPU, which have more to do."""
SCORES_BYTES, MOST_SCORES_BYTES = 2**26, 2**28
"""Of the scores of a run, and of those of a single sequence, beyond which none are written out."""
LEAST_RUNS, MOST_RUNS, CELL_SECONDS = 2, 5, 0.1
"""Of each way and context: no more than the least once they have taken so long."""
LOST = 2.0
"""Where writing out takes so many times as long, longer contexts, which are worse for it, are not tried."""
FORWARD_PASSES = 3.5
"""That the fused kernel multiplies as much as, forward and backward: it computes the scores once more."""


def measure_attention(
    device: str,
    precision: TimePrecision,
    context_lengths: Sequence[int] = CONTEXTS,
    heads: Sequence[tuple[int, int]] = HEADS,
    tell: Callable[[str], None] = lambda note: None,
) -> Iterator[AttentionTime]:
    """Time both ways in turns, so that what else runs slows down both; up to a context at which writing out
    loses by far, or needs much memory.

    Args:
        device: As torch calls it.
        precision: Of queries, keys and values.
        context_lengths: Rising.
        heads: How many, and their size.
        tell: Hears what is being measured.
    """
    for count, size in heads:
        for context in context_lengths:
            if _is_much(device, count, size, context):
                break
            tell(f"{device}: attention in {precision}, context {context}")
            row = _measure(device, precision, count, size, context)
            yield row
            if row.written_out_seconds > LOST * row.fused_seconds:
                break


def _measure(device: str, precision: TimePrecision, heads: int, head_dim: int, context: int) -> AttentionTime:
    dtype = getattr(torch, precision)
    batch = choose_batch(device, heads, head_dim, context)
    shape = (batch, heads, context, head_dim)
    query, key, value = (torch.randn(shape, device=device, dtype=dtype, requires_grad=True) for _ in range(3))
    backward = torch.randn(shape, device=device, dtype=dtype)

    def run(way: Callable[..., Tensor]) -> None:
        torch.autograd.grad(way(query, key, value), (query, key, value), backward)

    fused, written_out = _in_turns([partial(run, attend_fused), partial(run, attend_written_out)], device)
    return AttentionTime(
        precision=precision,
        heads=heads,
        head_dim=head_dim,
        context_length=context,
        batch_size=batch,
        fused_seconds=fused,
        written_out_seconds=written_out,
    )


def _is_much(device: str, heads: int, head_dim: int, context: int) -> bool:
    """Whether a single sequence takes long, or much memory."""
    flops = _flops(heads, head_dim, context)
    return 4 * heads * context**2 > MOST_SCORES_BYTES or flops > 2 * PRODUCT_FLOPS.get(
        device, PRODUCT_FLOPS_ELSEWHERE
    )


def _flops(heads: int, head_dim: int, context: int) -> float:
    """Of a forward and a backward pass of one sequence, all pairs counted."""
    return FORWARD_PASSES * 4 * heads * head_dim * context**2


def choose_batch(device: str, heads: int, head_dim: int, context: int) -> int:
    """Sequences of a run: what bounds of tokens, products and scores allow, and one at least."""
    bounds = (
        TOKENS.get(device, TOKENS_ELSEWHERE) / context,
        PRODUCT_FLOPS.get(device, PRODUCT_FLOPS_ELSEWHERE) / _flops(heads, head_dim, context),
        SCORES_BYTES / (4 * heads * context**2),
    )
    return max(1, int(min(bounds)))


def _in_turns(runs: Sequence[Callable[[], None]], device: str) -> list[float]:
    """The least seconds of each, after a first time that warms up: other programs only ever add to it."""
    for run in runs:
        run()
    seconds: list[list[float]] = [[] for _ in runs]
    begun = time.perf_counter()
    for count in range(MOST_RUNS):
        if count >= LEAST_RUNS and time.perf_counter() - begun > CELL_SECONDS:
            break
        for run, taken in zip(runs, seconds, strict=True):
            synchronize(device)
            start = time.perf_counter()
            run()
            synchronize(device)
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in seconds]
