"""What the final loss of a training will be, judged from its curve and from those of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

FEWEST_PEERS = 5
"""Complete trainings without which nothing is foretold."""


@dataclass(frozen=True)
class Forecast:
    """A final loss, in nats per token.

    Args:
        mean: What is expected.
        deviation: Of a single training from it.
        optimistic: What it is no lower than, at the confidence asked for.
    """

    mean: float
    deviation: float
    optimistic: float


def forecast_final_loss(
    loss: float, peers: Sequence[float], finals: Sequence[float], confidence: float
) -> Forecast | None:
    """The final loss of a training that has `loss` at a rung, from others that are complete.

    A straight line through the losses of the others at the same rung and at the end, by least squares, with
    the interval of Student's t in which one more observation lies. All see the same validation text, have
    the same schedule, and are compared after the same share of their budgets; where curves cross, or this
    loss lies far from theirs, the interval is wide, and where learning curves are alike it is narrow.

    Args:
        loss: At the rung.
        peers: Those of the others at it.
        finals: Theirs at the end.
        confidence: One-sided.

    Returns:
        None where there are fewer than `FEWEST_PEERS` others, or all have the same loss.
    """
    at, end = np.asarray(peers, dtype=float), np.asarray(finals, dtype=float)
    spread = float(((at - at.mean()) ** 2).sum()) if len(at) else 0.0
    if len(at) < FEWEST_PEERS or spread == 0:
        return None
    slope = float(((at - at.mean()) * (end - end.mean())).sum()) / spread
    residuals = end - end.mean() - slope * (at - at.mean())
    freedom = len(at) - 2
    variance = float(residuals @ residuals) / freedom
    away = loss - float(at.mean())
    deviation = float(np.sqrt(variance * (1 + 1 / len(at) + away**2 / spread)))
    mean = float(end.mean()) + slope * away
    return Forecast(mean, deviation, mean - float(t.ppf(confidence, freedom)) * deviation)
