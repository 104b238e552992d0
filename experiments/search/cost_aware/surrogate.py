"""A Gaussian process on the loss of variants: fitted to those that are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from experiments.search.cost_aware.kernel import Kernel, matern

Array = NDArray[np.float64]

MOST_FITTED = 256
"""Losses that the kernel is fitted to; with more, that takes more than it gains. All are predicted from."""
ITERATIONS = 60
USUAL = Kernel(0.3, np.array([2.0]), 1.0, 1e-3)
"""Where the prior is highest, of losses that vary by 1; the length is that of a single feature."""
LOWEST = Kernel(1e-3, np.array([0.05]), 1e-2, 1e-6)
HIGHEST = Kernel(1e1, np.array([1e2]), 1e2, 1e-1)
WIDTH = Kernel(2.0, np.array([1.0]), 2.0, 2.0)
"""Standard deviations of the prior, of logarithms."""


@dataclass(frozen=True)
class Surrogate:
    """A fitted kernel, with the scale of the losses that it was fitted to.

    Args:
        kernel: Of the features, for losses that vary by 1 around 0.
        center: Of the losses.
        scale: Of the losses.
    """

    kernel: Kernel
    center: float
    scale: float


def fit_surrogate(features: Array, losses: Array, most_noise: float = HIGHEST.noise) -> Surrogate:
    """The kernel under which the losses are most likely, given what length scales are plausible.

    A linear trend, as losses have in logarithms of costs over a small range, and deviations from it that are
    smooth, with a length scale for each feature. The prior of a length scale grows with the number of
    features: Hvarfner et al. 2024, "Vanilla Bayesian Optimization Performs Great in High Dimensions",
    arXiv:2402.02229. Without one, any of many features explains a few losses.

    Args:
        features: Of the variants, scaled to about 0 to 1, (n, d).
        losses: Theirs, (n,).
        most_noise: Share of their variance that may be noise.

    Raises:
        ValueError: a loss is no finite number.
    """
    if not np.isfinite(losses).all():
        raise ValueError(f"losses must be finite numbers, got {losses[~np.isfinite(losses)][0]}")
    chosen = _spread_out(len(losses))
    features, losses = features[chosen], losses[chosen]
    center, scale = float(losses.mean()), float(losses.std()) or 1.0
    count = features.shape[1]
    usual, highest = _as_logs(USUAL, count), replace(HIGHEST, noise=most_noise)
    usual[1:-2] += 0.5 * np.log(count)
    fitted = minimize(
        _Fit(features, (losses - center) / scale, usual, _spread(WIDTH, count)),
        usual,
        jac=True,
        bounds=list(zip(_as_logs(LOWEST, count), _as_logs(highest, count), strict=True)),
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS},
    )
    return Surrogate(_from_logs(fitted.x), center, scale)


def _spread_out(count: int) -> NDArray[np.intp]:
    """Which of so many observations a kernel is fitted to: evenly from first to last."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_FITTED)).round().astype(np.intp))


class _Fit:
    """Minus the logarithm of likelihood times prior, and its gradient, by logarithms of a kernel's numbers.

    Source: Rasmussen and Williams 2006, equations 5.8 and 5.9.
    """

    def __init__(self, features: Array, losses: Array, usual: Array, width: Array) -> None:
        self.losses, self.usual, self.width = losses, usual, width
        self.squares = (features.T[:, :, None] - features.T[:, None, :]) ** 2  # (d, n, n)
        self.trend = 1.0 + features @ features.T

    def __call__(self, logs: Array) -> tuple[float, Array]:
        kernel, count = _from_logs(logs), len(self.losses)
        away = np.sqrt(5 * np.tensordot(kernel.lengths**-2.0, self.squares, 1))
        alike = kernel.smooth * matern(away)
        own = alike + kernel.trend * self.trend
        own[np.diag_indices(count)] += kernel.noise
        try:
            root = cho_factor(own, lower=True)
        except np.linalg.LinAlgError:  # a step too far, from which the search turns back
            return 1e10, np.zeros_like(logs)
        weights = cho_solve(root, self.losses)
        outer = np.outer(weights, weights) - cho_solve(root, np.eye(count))
        # dk/d(log l) = a·5/3·(1 + r)·exp(−r)·((x − y) / l)²
        steep = outer * (kernel.smooth * 5 / 3 * (1 + away) * np.exp(-away))
        steps = np.empty_like(logs)
        steps[0] = (outer * alike).sum()
        steps[1:-2] = np.tensordot(self.squares, steep, 2) * kernel.lengths**-2.0
        steps[-2] = kernel.trend * (outer * self.trend).sum()
        steps[-1] = kernel.noise * np.trace(outer)
        unlikely = 0.5 * float(self.losses @ weights) + float(np.log(np.diag(root[0])).sum())
        aside = (logs - self.usual) / self.width
        return unlikely + 0.5 * float(aside @ aside), aside / self.width - 0.5 * steps


def _spread(kernel: Kernel, count: int) -> Array:
    """The numbers of a kernel, its length for each of the features."""
    return np.array([kernel.smooth, *np.resize(kernel.lengths, count), kernel.trend, kernel.noise])


def _as_logs(kernel: Kernel, count: int) -> Array:
    logs: Array = np.log(_spread(kernel, count))
    return logs


def _from_logs(logs: Array) -> Kernel:
    smooth, *lengths, trend, noise = np.exp(logs)
    return Kernel(float(smooth), np.array(lengths), float(trend), float(noise))
