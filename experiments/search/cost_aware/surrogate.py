"""A Gaussian process on the loss of variants: what it is expected to be, and how sure that is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Kernel, Matern, WhiteKernel

Array = NDArray[np.float64]
Objective = Callable[..., tuple[float, Array]]
"""Of the logarithms of hyperparameters: minus the likelihood, and its gradient."""

MOST_FITTED = 256
"""Losses that the kernel is fitted to; with more, that takes more than it gains. All are predicted from."""
STARTS = 2
"""Points from which a kernel is fitted: where its prior is highest, and with all features alike."""
ITERATIONS = 60


@dataclass(frozen=True)
class Prediction:
    """The losses of candidates: means and standard deviations, (N,) each."""

    mean: Array
    deviation: Array


@dataclass(frozen=True)
class Surrogate:
    """A fitted kernel, with the scale of the losses that it was fitted to.

    Args:
        kernel: Of the features; its last term is the noise of a loss, by which two seeds differ.
        center: Of the losses.
        scale: Of the losses.
    """

    kernel: Kernel
    center: float
    scale: float

    def predict(
        self, features: Array, losses: Array, candidates: Array, deviations: Array | float = 0.0
    ) -> Prediction:
        """The losses that candidates would have without noise.

        Args:
            features: Of n variants with known losses, (n, d).
            losses: Theirs, (n,).
            candidates: Features, (N, d).
            deviations: By which each of the losses is uncertain, beyond the noise of a training, (n,).
        """
        smooth, white = self.kernel.k1, self.kernel.k2
        own = smooth(features)
        own[np.diag_indices_from(own)] += white.noise_level + (np.asarray(deviations) / self.scale) ** 2
        root = np.linalg.cholesky(own)
        solved = solve_triangular(root, smooth(features, candidates), lower=True, overwrite_b=True)
        weights = solve_triangular(root, (losses - self.center) / self.scale, lower=True)
        variance = smooth.diag(candidates) - np.einsum("ij,ij->j", solved, solved)
        mean = self.center + self.scale * (weights @ solved)
        return Prediction(mean, self.scale * np.sqrt(np.maximum(variance, 0.0)))


def fit_surrogate(features: Array, losses: Array, most_noise: float = 0.1) -> Surrogate:
    """The kernel under which the losses are most likely, given what length scales are plausible.

    A trend that is linear in the features, as losses are in logarithms of costs over a small range, and
    deviations from it that are smooth (Matérn 5/2), with a length scale for each feature. The prior of a
    length scale grows with the number of features: Hvarfner et al. 2024, "Vanilla Bayesian Optimization
    Performs Great in High Dimensions", arXiv:2402.02229. Without one, any of many features explains a few
    losses.

    Args:
        features: Of the variants, scaled to about 0 to 1, (n, d).
        losses: Theirs, (n,).
        most_noise: Share of their variance that may be noise.

    Raises:
        ValueError, numpy.linalg.LinAlgError: a loss is no number, or the kernel cannot be inverted.
    """
    chosen = _spread_out(len(losses))
    features, losses = features[chosen], losses[chosen]
    center, scale = float(losses.mean()), float(losses.std()) or 1.0
    kernel = _kernel(features.shape[1], most_noise)
    process = GaussianProcessRegressor(kernel, optimizer=_fit_with_prior(kernel), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(features, (losses - center) / scale)
    return Surrogate(process.kernel_, center, scale)


def _spread_out(count: int) -> NDArray[np.intp]:
    """Which of so many observations a kernel is fitted to: evenly from first to last."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_FITTED)).round().astype(np.intp))


def _kernel(count: int, most_noise: float) -> Kernel:
    smooth = ConstantKernel(0.3, (1e-3, 1e1)) * Matern(np.full(count, _usual_length(count)), (5e-2, 1e2), 2.5)
    trend = ConstantKernel(1.0, (1e-2, 1e2)) * DotProduct(1.0, "fixed")
    return smooth + trend + WhiteKernel(1e-3, (1e-6, most_noise))


def _usual_length(count: int) -> float:
    return float(2 * np.sqrt(count))


def _fit_with_prior(kernel: Kernel) -> Callable[..., tuple[Array, float]]:
    """An optimizer that adds the prior of the hyperparameters to their likelihood."""
    center, width = kernel.theta, np.empty_like(kernel.theta)
    first = 0
    for one in kernel.hyperparameters:
        if not one.fixed:
            width[first : first + one.n_elements] = 1.0 if one.name.endswith("length_scale") else 2.0
            first += one.n_elements

    def fit(objective: Objective, theta: Array, bounds: Array) -> tuple[Array, float]:
        def penalised(at: Array) -> tuple[float, Array]:
            value, gradient = objective(at)
            away = (at - center) / width
            return value + 0.5 * float(away @ away), gradient + away / width

        options: dict[str, Any] = {"maxiter": ITERATIONS}
        found = [
            minimize(penalised, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options)
            for start in (theta, theta - 1.0)[:STARTS]
        ]
        best = min(found, key=lambda result: float(result.fun))
        return best.x, float(best.fun)

    return fit
