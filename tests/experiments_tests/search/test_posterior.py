"""Predictions that are kept while losses are added."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search.cost_aware.kernel import Kernel
from experiments.search.cost_aware.posterior import Posterior
from experiments.search.cost_aware.surrogate import Surrogate

COUNT = 30
FEATURES = np.random.default_rng(0).uniform(size=(COUNT, 3))
SURROGATE = Surrogate(Kernel(0.4, np.array([0.5, 1.0, 2.0]), 0.8, 1e-3), 3.0, 0.2)

known_losses = st.dictionaries(
    st.integers(0, COUNT - 1),
    st.tuples(st.floats(2, 4), st.sampled_from([0.0, 0.0, 0.05])),
    min_size=1,
    max_size=12,
)


@given(st.lists(known_losses, min_size=1, max_size=6))
@settings(deadline=None, max_examples=80)
def test_what_is_kept_changes_nothing(steps: list[dict[int, tuple[float, float]]]) -> None:
    kept = Posterior(SURROGATE, FEATURES)
    for step in steps:
        losses, deviations = (np.array(column) for column in zip(*step.values(), strict=True))
        own = kept.predict(list(step), losses, deviations)
        anew = Posterior(SURROGATE, FEATURES).predict(list(step), losses, deviations)
        assert own.mean == pytest.approx(anew.mean, abs=1e-9)
        assert own.deviation == pytest.approx(anew.deviation, abs=1e-6)


def test_a_single_loss_moves_others_by_their_covariance() -> None:
    predicted = Posterior(SURROGATE, FEATURES).predict([4], np.array([3.5]))
    own = SURROGATE.kernel.between(FEATURES[4:5], FEATURES)[0]
    noisy = own[4] + 1e-3
    assert predicted.mean == pytest.approx(3.0 + own / noisy * 0.5)
    variance = SURROGATE.kernel.variance(FEATURES) - own**2 / noisy
    assert predicted.deviation == pytest.approx(0.2 * np.sqrt(variance))


def test_an_expected_loss_counts_the_less_the_more_unsure_it_is() -> None:
    losses = 4 - FEATURES[:6, 0]
    losses[5] = 5.0
    posterior = Posterior(SURROGATE, FEATURES)
    means = [
        float(posterior.predict(range(6), losses, np.append(np.zeros(5), unsure)).mean[5])
        for unsure in (0.01, 0.3, 1e6)
    ]
    plain = float(posterior.predict(range(5), losses[:5]).mean[5])
    assert means[0] > means[1] > means[2] == pytest.approx(plain, abs=1e-4)
