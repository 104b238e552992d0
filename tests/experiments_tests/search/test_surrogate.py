"""The Gaussian process on the losses."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel

from experiments.search.cost_aware.kernel import Kernel
from experiments.search.cost_aware.posterior import Posterior, Prediction
from experiments.search.cost_aware.surrogate import (
    USUAL,
    WIDTH,
    Surrogate,
    _as_logs,
    _Fit,
    _spread,
    fit_surrogate,
)


def law(features: np.ndarray) -> np.ndarray:
    """A loss that falls with the first feature, bends with the second, and does not depend on the third."""
    falling: np.ndarray = 3 - 0.8 * features[:, 0] + 0.3 * (features[:, 1] - 0.4) ** 2
    return falling


def predict(surrogate: Surrogate, features: np.ndarray, losses: np.ndarray, others: np.ndarray) -> Prediction:
    """Of others alone."""
    known = len(features)
    predicted = Posterior(surrogate, np.vstack((features, others))).predict(range(known), losses)
    return Prediction(predicted.mean[known:], predicted.deviation[known:])


def of_library(kernel: Kernel) -> GaussianProcessRegressor:
    smooth = ConstantKernel(kernel.smooth) * Matern(kernel.lengths, nu=2.5)
    trend = ConstantKernel(kernel.trend) * DotProduct(1.0)
    return GaussianProcessRegressor(smooth + trend + WhiteKernel(kernel.noise), optimizer=None, alpha=0.0)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return np.random.default_rng(1).uniform(size=(40, 3))


@pytest.fixture(scope="module")
def surrogate(features: np.ndarray) -> Surrogate:
    return fit_surrogate(features, law(features))


def test_losses_of_others_are_predicted(features: np.ndarray, surrogate: Surrogate) -> None:
    others = np.random.default_rng(2).uniform(size=(200, 3))
    predicted = predict(surrogate, features, law(features), others)
    assert np.abs(predicted.mean - law(others)).max() < 0.02  # of a range of 0.9
    assert predicted.deviation.max() < 0.05


def test_it_is_the_less_sure_the_farther_away(features: np.ndarray, surrogate: Surrogate) -> None:
    known = features[0] + np.array([[0, 0, 0], [0.5, 2, 0], [1, 4, 0]])
    deviation = predict(surrogate, features, law(features), known).deviation
    assert deviation[0] < deviation[1] < deviation[2]


def test_predictions_are_those_of_the_library(features: np.ndarray, surrogate: Surrogate) -> None:
    process = of_library(surrogate.kernel)
    process.fit(features, (law(features) - surrogate.center) / surrogate.scale)
    others = np.random.default_rng(3).uniform(size=(50, 3))
    mean, deviation = process.predict(others, return_std=True)
    own = predict(surrogate, features, law(features), others)
    assert own.mean == pytest.approx(surrogate.center + surrogate.scale * mean, rel=1e-6)
    # The library's is of a loss that is measured, with its noise; ours of the loss behind it.
    noise = surrogate.kernel.noise
    variance = (own.deviation / surrogate.scale) ** 2 + noise
    assert variance == pytest.approx(deviation**2, rel=1e-4, abs=1e-7)


def test_the_same_losses_give_the_same_kernel(features: np.ndarray, surrogate: Surrogate) -> None:
    again = fit_surrogate(features.copy(), law(features))
    assert (_as_logs(again.kernel, 3) == _as_logs(surrogate.kernel, 3)).all()


def test_the_likelihood_is_that_of_the_library_and_its_gradient_that_of_differences(
    features: np.ndarray,
) -> None:
    losses = np.random.default_rng(4).normal(size=len(features))
    usual = _as_logs(USUAL, 3)
    fit = _Fit(features, losses, usual, _spread(WIDTH, 3))
    kernel = Kernel(0.5, np.array([0.7, 2.0, 1.3]), 0.2, 0.03)
    process = of_library(kernel).fit(features, losses)
    aside = (_as_logs(kernel, 3) - usual) / _spread(WIDTH, 3)
    # The library's has the constant of a normal density.
    constant = 0.5 * len(losses) * np.log(2 * np.pi)
    wanted = -process.log_marginal_likelihood_value_ - constant + 0.5 * aside @ aside
    value, gradient = fit(_as_logs(kernel, 3))
    assert value == pytest.approx(wanted, rel=1e-9)
    assert gradient == pytest.approx(
        approx_fprime(_as_logs(kernel, 3), lambda at: fit(at)[0], 1e-6), rel=1e-3, abs=1e-4
    )


def test_equal_losses_are_predicted_to_stay_equal() -> None:
    features = np.array([[0.0], [0.5], [1.0]])
    losses = np.full(3, 2.5)
    predicted = predict(fit_surrogate(features, losses), features, losses, np.array([[0.25]]))
    assert predicted.mean[0] == pytest.approx(2.5)


def test_a_loss_that_is_no_number_is_refused(features: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite numbers, got nan"):
        fit_surrogate(features, np.full(len(features), np.nan))
