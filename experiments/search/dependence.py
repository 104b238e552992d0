"""A model of losses by what was chosen and by training FLOPs, and averages of what it says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from experiments.search.cost_aware.surrogate import Surrogate, fit_surrogate

Array = NDArray[np.float64]

EQUAL_RATIO = 1.02
"""Of the most and the least training FLOPs, up to which they are taken for equal: budgets are whole steps."""


@dataclass(frozen=True)
class LossModel:
    """Losses as a straight line in the logarithm of training FLOPs, and a Gaussian process beside it.

    Where fields and FLOPs go together, as depth and FLOPs do, the losses alone cannot tell which of them they
    follow. So nothing is supposed of the line, while all effects of fields are supposed to be small: what
    training FLOPs can explain is theirs. This is kriging with a trend of unknown coefficients: Rasmussen and
    Williams 2006, "Gaussian Processes for Machine Learning", section 2.7.

    Args:
        features: What was chosen, from 0 to 1, and the logarithm of FLOPs as `log_flops` has it, (n, d).
        log_flops: From 0 to 1 over the architectures, all 0 where they are equal, (n,).
        losses: In nats per token, (n,).
        surrogate: Fitted to them.
    """

    features: Array
    log_flops: Array
    losses: Array
    surrogate: Surrogate

    def average(self, groups: list[tuple[Array, Array]]) -> tuple[Array, Array]:
        """The mean losses of groups of architectures, without noise: expectation (g,) and covariance (g, g).

        Args:
            groups: Of each, features and logarithms of FLOPs, as above.
        """
        features = np.vstack([group for group, _ in groups])
        weights = np.zeros((len(groups), len(features)))
        first = 0
        for row, (group, _) in enumerate(groups):
            weights[row, first : first + len(group)] = 1 / len(group)
            first += len(group)
        alike = self.surrogate.kernel.between
        across = weights @ alike(features, self.features)  # (g, n)
        trend = weights @ self._basis(np.concatenate([log_flops for _, log_flops in groups]))
        factor = self._factor
        unexplained = trend - across @ cho_solve(factor, self._trend)
        mean = trend @ self._coefficients + across @ cho_solve(factor, self._deviations)
        covariance = weights @ alike(features, features) @ weights.T - across @ cho_solve(factor, across.T)
        covariance += unexplained @ np.linalg.solve(self._information, unexplained.T)
        return self.surrogate.scale * mean, self.surrogate.scale**2 * covariance

    def explained(self) -> float:
        """Share of the variance of the losses that it foretells, each from all the others; below 0 where the
        mean of the others would do better.

        In closed form: Dubrule 1983, "Cross Validation of Kriging in a Unique Neighborhood".
        """
        inverse = cho_solve(self._factor, np.eye(len(self.losses)))
        solved = inverse @ self._trend
        precision = inverse - solved @ np.linalg.solve(self._information, solved.T)
        losses = self.losses / self.surrogate.scale
        errors = precision @ losses / np.diag(precision)
        # Foretold by the mean of the others, a loss is missed by n / (n - 1) of its distance from all.
        count = len(losses)
        usual = (losses - losses.mean()) * count / (count - 1)
        return 1 - float(errors @ errors) / float(usual @ usual) if usual.any() else 0.0

    def _basis(self, log_flops: Array) -> Array:
        """What the line is made of: a constant, and the logarithm of FLOPs unless they are equal."""
        ones = np.ones(len(log_flops))
        return np.column_stack([ones, log_flops] if self.log_flops.any() else [ones])

    @cached_property
    def _trend(self) -> Array:
        return self._basis(self.log_flops)

    @cached_property
    def _factor(self) -> tuple[Array, bool]:
        kernel = self.surrogate.kernel
        own = kernel.between(self.features, self.features)
        own[np.diag_indices_from(own)] += kernel.noise
        factor: tuple[Array, bool] = cho_factor(own, lower=True)
        return factor

    @cached_property
    def _information(self) -> Array:
        """Of the coefficients: the inverse of their covariance."""
        information: Array = self._trend.T @ cho_solve(self._factor, self._trend)
        return information

    @cached_property
    def _coefficients(self) -> Array:
        losses = self.losses / self.surrogate.scale
        return np.linalg.solve(self._information, self._trend.T @ cho_solve(self._factor, losses))

    @cached_property
    def _deviations(self) -> Array:
        """From the line."""
        deviations: Array = self.losses / self.surrogate.scale - self._trend @ self._coefficients
        return deviations


def fit_losses(chosen: Array, log_flops: Array, losses: Array) -> LossModel:
    """The model of some losses.

    Args:
        chosen: Features of what was chosen, from 0 to 1, (n, d).
        log_flops: See `scale_flops`, (n,).
        losses: In nats per token, (n,).

    Raises:
        ValueError, numpy.linalg.LinAlgError: a loss is no number, or the kernel cannot be inverted.
    """
    features = with_flops(chosen, log_flops)
    return LossModel(features, log_flops, losses, fit_surrogate(features, losses, most_noise=1.0))


def scale_flops(train_flops: Array) -> Array:
    """Logarithms of training FLOPs from 0 to 1; all 0 where they are as good as equal."""
    logs = np.log(train_flops)
    low, high = float(logs.min()), float(logs.max())
    equal = high - low <= np.log(EQUAL_RATIO)
    scaled: Array = np.zeros(len(logs)) if equal else (logs - low) / (high - low)
    return scaled


def with_flops(chosen: Array, log_flops: Array) -> Array:
    """The features of a `LossModel`."""
    return np.column_stack([chosen, log_flops])
