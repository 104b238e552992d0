import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.training.schedule import learning_rate_factor

shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("progress", "factor"),
    [
        (0.02, 0.1),  # a tenth of the warm-up
        (0.1, 0.5),  # half of it
        (0.2, 1.0),  # its end is the peak
        (0.6, 0.55),  # half-way down the cosine: (1 + 0.1) / 2
        (0.4, 0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2),  # a quarter of it: cos 45° = √½
        (1.0, 0.1),
    ],
)
def test_the_learning_rate_rises_in_a_line_and_falls_as_half_a_cosine(progress: float, factor: float) -> None:
    assert learning_rate_factor(progress, warmup=0.2, final=0.1) == pytest.approx(factor, rel=1e-12)


def test_without_warm_up_the_first_step_of_many_is_near_the_peak() -> None:
    assert learning_rate_factor(1e-6, warmup=0.0, final=0.1) == pytest.approx(1.0)


@given(st.floats(1e-9, 1), st.floats(0, 0.99), shares)
def test_the_factor_stays_between_zero_and_the_peak(progress: float, warmup: float, final: float) -> None:
    factor = learning_rate_factor(progress, warmup, final)
    assert 0 < factor <= 1 + 1e-12 or (final == 0 and factor == pytest.approx(0, abs=1e-12))
    if progress >= warmup:
        assert factor >= final - 1e-12


@given(shares, shares, st.floats(0, 0.99), shares)
def test_it_never_rises_after_the_warm_up_nor_falls_before(
    one: float, other: float, warmup: float, final: float
) -> None:
    early, late = sorted((one, other))
    difference = learning_rate_factor(late, warmup, final) - learning_rate_factor(early, warmup, final)
    if early >= warmup:
        assert difference <= 1e-12
    elif late < warmup:
        assert difference >= 0
