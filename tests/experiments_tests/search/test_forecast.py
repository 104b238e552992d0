"""The final loss of a training, judged from its curve and those of others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search.stopping.forecast import forecast_final_loss


def test_the_line_and_its_interval_are_those_of_a_textbook() -> None:
    # By hand: at = 1..5, end = 2, 4, 5, 4, 5. Slope 6/10, intercept 2.2, residual sum of squares 2.4.
    forecast = forecast_final_loss([6.0], [[1], [2], [3], [4], [5]], [2, 4, 5, 4, 5], 0.95)
    assert forecast is not None
    assert forecast.mean == pytest.approx(2.2 + 0.6 * 6)
    # s^2 = 2.4/3; of one more observation at 6: s^2 (1 + 1/5 + 9/10); t(0.95, 3) = 2.3534 in tables.
    assert forecast.deviation == pytest.approx((0.8 * 2.1) ** 0.5)
    assert forecast.optimistic == pytest.approx(5.8 - 2.3534 * (0.8 * 2.1) ** 0.5, abs=1e-3)


def test_curves_that_all_fall_alike_leave_no_doubt() -> None:
    forecast = forecast_final_loss(
        [4.0], [[3.0], [3.2], [3.4], [3.6], [3.8]], [2.0, 2.2, 2.4, 2.6, 2.8], 0.95
    )
    assert forecast is not None
    assert (forecast.mean, forecast.optimistic) == (pytest.approx(3.0), pytest.approx(3.0))


def test_a_larger_model_may_fall_farther_from_the_same_loss() -> None:
    # end = at - 1 - 0.1 size, without noise: two numbers foretell it, the loss alone does not.
    peers = [[3.0, 1.0], [3.5, 2.0], [3.2, 3.0], [3.9, 1.0], [3.1, 2.0], [3.6, 3.0]]
    finals = [at - 1 - 0.1 * size for at, size in peers]
    forecast = forecast_final_loss([3.3, 4.0], peers, finals, 0.95)
    assert forecast is not None
    assert (forecast.mean, forecast.deviation) == (pytest.approx(1.9), pytest.approx(0, abs=1e-6))
    assert forecast_final_loss([3.3, 4.0], peers[:5], finals[:5], 0.95) is None  # three numbers are fitted
    same = forecast_final_loss([3.3, 4.0], [[at, 2.0] for at, _ in peers], finals, 0.95)
    alone = forecast_final_loss([3.3], [[at] for at, _ in peers], finals, 0.95)
    assert same is not None
    assert alone is not None
    assert (same.mean, same.optimistic) == (pytest.approx(alone.mean), pytest.approx(alone.optimistic))


@pytest.mark.parametrize(
    ("peers", "finals"),
    [([3.0] * 9, [2.0] * 9), ([1, 2, 3, 4], [1, 2, 3, 4]), ([], [])],
)
def test_too_few_or_equal_others_foretell_nothing(peers: list[float], finals: list[float]) -> None:
    assert forecast_final_loss([3.0], [[peer] for peer in peers], finals, 0.95) is None


@settings(max_examples=20, deadline=None)
@given(
    slope=st.floats(0.3, 1.5),
    noise=st.floats(0.001, 0.1),
    peers=st.integers(5, 40),
    seed=st.integers(0, 2**31),
)
def test_a_final_loss_is_below_the_optimistic_view_as_rarely_as_is_said(
    slope: float, noise: float, peers: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    trials, below = 1500, 0
    for _ in range(trials):
        at = chance.normal(4, 0.3, peers + 1)
        end = slope * at + chance.normal(0, noise, peers + 1)
        forecast = forecast_final_loss([at[-1]], at[:-1, None].tolist(), end[:-1].tolist(), 0.9)
        assert forecast is not None
        below += end[-1] < forecast.optimistic
    # Five standard deviations of a binomial count around 10 %.
    assert abs(below / trials - 0.1) < 5 * (0.09 / trials) ** 0.5
