"""How alike the losses of two variants are expected to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kernel:
    """A trend that is linear in the features, and smooth deviations from it: Matérn 5/2, of variance a.

        k(x, y) = c·(1 + x·y) + a·(1 + r + r²/3)·exp(−r),  r² = 5·Σ ((x − y) / l)²

    Source: Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", equation 4.17.

    Args:
        smooth: a.
        lengths: l, of each feature, (d,).
        trend: c.
        noise: Variance of a loss that is measured around the one behind it, by which two seeds differ.
    """

    smooth: float
    lengths: Array
    trend: float
    noise: float

    def between(self, one: Array, other: Array) -> Array:
        """The covariances of losses without noise, (n, N), of features (n, d) and (N, d)."""
        left, right = one / self.lengths, other / self.lengths
        squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
        alike = self.smooth * matern(np.sqrt(np.maximum(5 * squares, 0.0)))
        alike += self.trend * (1.0 + one @ other.T)
        return alike

    def variance(self, features: Array) -> Array:
        """Of a loss without noise, (N,)."""
        own: Array = self.smooth + self.trend * (1.0 + (features**2).sum(axis=1))
        return own


def matern(away: Array) -> Array:
    """(1 + r + r²/3)·exp(−r)."""
    alike: Array = away / 3.0
    alike += 1.0
    alike *= away
    alike += 1.0
    alike *= np.exp(-away)
    return alike
