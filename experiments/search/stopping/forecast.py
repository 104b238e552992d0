"""What the final loss of a training will be, judged from its beginning and from others that are complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

FEWEST_FREEDOM = 3
"""Complete trainings, beyond one for each number that is fitted, without which nothing is foretold."""


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
    traits: Sequence[float], peers: Sequence[Sequence[float]], finals: Sequence[float], confidence: float
) -> Forecast | None:
    """The final loss of a training, from its loss at a rung and those of others that are complete.

    A linear function of the traits, fitted to the others by least squares, with the interval of Student's t
    in which one more observation lies. All see the same validation text, have the same schedule, and are
    compared after the same share of their budgets; where curves cross, or a training is unlike the others,
    the interval is wide, and where learning curves are alike it is narrow.

    Args:
        traits: Of the training, such as its loss at the rung and the logarithm of its size, (d,).
        peers: Those of the others, (n, d).
        finals: Their losses at the end, (n,).
        confidence: One-sided.

    Returns:
        None where there are too few others, or their loss at the rung is the same.
    """
    known, end = np.asarray(peers, dtype=float).reshape(len(finals), len(traits)), np.asarray(finals, float)
    if not len(end) or np.ptp(known[:, 0]) == 0:
        return None
    varied = np.ptp(known, axis=0) > 0
    center, spread = known[:, varied].mean(axis=0), known[:, varied].std(axis=0)
    design = np.column_stack([np.ones(len(end)), (known[:, varied] - center) / spread])
    own = np.append(1.0, (np.asarray(traits, dtype=float)[varied] - center) / spread)
    freedom = len(end) - design.shape[1]
    if freedom < FEWEST_FREEDOM:
        return None
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    weights = inverse @ (design.T @ end)
    residuals = end - design @ weights
    deviation = float(np.sqrt(residuals @ residuals / freedom * (1 + own @ inverse @ own)))
    mean = float(own @ weights)
    return Forecast(mean, deviation, mean - float(t.ppf(confidence, freedom)) * deviation)
