"""The learning rate over a training."""

import math


def learning_rate_factor(progress: float, warmup: float, final: float) -> float:
    """The learning rate as a share of its peak: a linear rise, then half a cosine.

    Source: Loshchilov and Hutter 2016, "SGDR", arXiv:1608.03983, without restarts.

    Args:
        progress: Share of the budget spent by the end of this step, above 0 and up to 1.
        warmup: Share of the budget in which it rises.
        final: Where it ends.
    """
    if progress < warmup:
        return progress / warmup
    done = min(1.0, (progress - warmup) / (1 - warmup))
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))
