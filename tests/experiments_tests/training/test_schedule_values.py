import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.training.config import TrainingConfig
from experiments.training.schedule import SCHEDULES, learning_rate_factor

shares = st.floats(0, 1)


def scheduled(schedule: str, warmup: float = 0.2, final: float = 0.1, decay: float = 0.2) -> TrainingConfig:
    fields = {"warmup_fraction": warmup, "final_learning_rate_fraction": final, "decay_fraction": decay}
    return TrainingConfig.model_validate({"schedule": schedule, **fields})


@st.composite
def trainings(draw: st.DrawFn) -> TrainingConfig:
    warmup, final, decay = draw(st.floats(0, 0.99)), draw(shares), draw(st.floats(1e-3, 1))
    return scheduled(draw(st.sampled_from(sorted(SCHEDULES))), warmup, final, decay)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("progress", "factor"), [(0.02, 0.1), (0.1, 0.5), (0.2, 1.0)])
def test_every_schedule_rises_in_a_line(schedule: str, progress: float, factor: float) -> None:
    assert learning_rate_factor(progress, scheduled(schedule)) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    ("schedule", "progress", "factor"),
    [
        ("cosine", 0.6, 0.55),  # half-way down: (1 + 0.1) / 2
        ("cosine", 0.4, 0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2),  # a quarter of it: cos 45° = √½
        ("cosine", 1.0, 0.1),
        ("linear", 0.4, 0.775),  # a quarter of the way from 1 to 0.1
        ("linear", 0.6, 0.55),
        ("linear", 1.0, 0.1),
        ("constant", 0.6, 1.0),
        ("constant", 1.0, 1.0),
        ("wsd", 0.6, 1.0),
        ("wsd", 0.8, 1.0),  # the fall begins
        ("wsd", 0.85, 0.55),  # a quarter of it: 1 - √¼ = ½
        ("wsd", 1.0, 0.1),
    ],
)
def test_after_the_warm_up_the_schedules_differ(schedule: str, progress: float, factor: float) -> None:
    assert learning_rate_factor(progress, scheduled(schedule)) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_warm_up_the_first_step_of_many_is_near_the_peak(schedule: str) -> None:
    assert learning_rate_factor(1e-6, scheduled(schedule, warmup=0.0)) == pytest.approx(1.0, rel=1e-5)


def test_a_decay_that_would_begin_in_the_warm_up_begins_after_it() -> None:
    training = scheduled("wsd", warmup=0.6, decay=0.8)
    assert learning_rate_factor(0.3, training) == pytest.approx(0.5)
    assert learning_rate_factor(0.7, training) == pytest.approx(0.55)  # a quarter of what the warm-up leaves


def test_a_decay_that_is_shorter_than_any_step_ends_where_it_should() -> None:
    training = scheduled("wsd", decay=1e-20)
    assert [learning_rate_factor(progress, training) for progress in (0.999, 1.0)] == [1.0, 0.1]


@given(trainings(), st.floats(1e-9, 1))
def test_the_factor_stays_between_zero_and_the_peak(training: TrainingConfig, progress: float) -> None:
    factor = learning_rate_factor(progress, training)
    assert 0 <= factor <= 1
    if progress >= training.warmup_fraction:
        assert factor >= training.final_learning_rate_fraction - 1e-12


@given(trainings())
def test_what_falls_ends_at_the_final_fraction(training: TrainingConfig) -> None:
    end = 1.0 if training.schedule == "constant" else training.final_learning_rate_fraction
    assert learning_rate_factor(1.0, training) == pytest.approx(end, abs=1e-12)


@given(trainings(), shares, shares)
def test_it_never_rises_after_the_warm_up_nor_falls_before(
    training: TrainingConfig, one: float, other: float
) -> None:
    early, late = sorted((one, other))
    difference = learning_rate_factor(late, training) - learning_rate_factor(early, training)
    if early >= training.warmup_fraction:
        assert difference <= 1e-12
    elif late < training.warmup_fraction:
        assert difference >= 0


@given(trainings())
def test_it_has_no_jump_where_its_parts_meet(training: TrainingConfig) -> None:
    warm = training.warmup_fraction
    for joint in (warm, max(warm, 1 - training.decay_fraction)):
        before, after = (learning_rate_factor(max(0.0, joint + step), training) for step in (-1e-12, 1e-12))
        if joint > 1e-6:  # else the rise is steeper than what is looked at
            # The steepest is a decay of a thousandth of the budget: it begins with √(1e-12 / 1e-3).
            assert abs(after - before) <= 1e-4


def test_every_schedule_that_can_be_declared_is_there() -> None:
    annotation: Any = TrainingConfig.model_fields["schedule"].annotation
    assert set(get_args(annotation)) == set(SCHEDULES)
