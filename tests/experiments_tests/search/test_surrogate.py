"""The Gaussian process on the losses."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from experiments.search.cost_aware.surrogate import Surrogate, fit_surrogate


def law(features: np.ndarray) -> np.ndarray:
    """A loss that falls with the first feature, bends with the second, and does not depend on the third."""
    falling: np.ndarray = 3 - 0.8 * features[:, 0] + 0.3 * (features[:, 1] - 0.4) ** 2
    return falling


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    return np.random.default_rng(1).uniform(size=(40, 3))


@pytest.fixture(scope="module")
def surrogate(features: np.ndarray) -> Surrogate:
    return fit_surrogate(features, law(features))


def test_losses_of_others_are_predicted(features: np.ndarray, surrogate: Surrogate) -> None:
    others = np.random.default_rng(2).uniform(size=(200, 3))
    predicted = surrogate.predict(features, law(features), others)
    assert np.abs(predicted.mean - law(others)).max() < 0.02  # of a range of 0.9
    assert predicted.deviation.max() < 0.05


def test_it_is_the_less_sure_the_farther_away(features: np.ndarray, surrogate: Surrogate) -> None:
    known = features[0] + np.array([[0, 0, 0], [0.5, 2, 0], [1, 4, 0]])
    deviation = surrogate.predict(features, law(features), known).deviation
    assert deviation[0] < deviation[1] < deviation[2]


def test_predictions_are_those_of_the_library(features: np.ndarray, surrogate: Surrogate) -> None:
    process = GaussianProcessRegressor(surrogate.kernel, optimizer=None, alpha=0.0)
    process.fit(features, (law(features) - surrogate.center) / surrogate.scale)
    others = np.random.default_rng(3).uniform(size=(50, 3))
    mean, deviation = process.predict(others, return_std=True)
    own = surrogate.predict(features, law(features), others)
    assert own.mean == pytest.approx(surrogate.center + surrogate.scale * mean, rel=1e-6)
    # The library's is of a loss that is measured, with its noise; ours of the loss behind it.
    noise = surrogate.kernel.k2.noise_level
    variance = (own.deviation / surrogate.scale) ** 2 + noise
    assert variance == pytest.approx(deviation**2, rel=1e-4, abs=1e-7)


def test_the_same_losses_give_the_same_kernel(features: np.ndarray, surrogate: Surrogate) -> None:
    again = fit_surrogate(features.copy(), law(features))
    assert (again.kernel.theta == surrogate.kernel.theta).all()


def test_equal_losses_are_predicted_to_stay_equal() -> None:
    features = np.array([[0.0], [0.5], [1.0]])
    losses = np.full(3, 2.5)
    predicted = fit_surrogate(features, losses).predict(features, losses, np.array([[0.25]]))
    assert predicted.mean[0] == pytest.approx(2.5)


def test_a_loss_that_is_no_number_is_refused(features: np.ndarray) -> None:
    with pytest.raises(ValueError, match="NaN"):
        fit_surrogate(features, np.full(len(features), np.nan))
