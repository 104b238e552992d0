from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_cost import COST
from pydantic import ValidationError

from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.ramp import (
    batch_of_step,
    sequences_before,
    sequences_of_step,
    steps_to_see,
    tokens_after,
)


def ramped(size: int, start: int, steps: int, accumulation: int = 1) -> TrainingConfig:
    ramp = {"start": start, "steps": steps}
    return TrainingConfig.model_validate(
        {"batch_size": size, "batch_ramp": ramp, "gradient_accumulation": accumulation}
    )


@st.composite
def trainings(draw: st.DrawFn) -> TrainingConfig:
    size = draw(st.integers(1, 40))
    return ramped(size, draw(st.integers(1, size)), draw(st.integers(1, 60)), draw(st.integers(1, 3)))


def test_a_batch_grows_in_equal_parts_until_it_is_whole() -> None:
    training = ramped(13, start=3, steps=4)  # 3 + 10·s/4: 3, 5.5, 8, 10.5
    assert [batch_of_step(training, step) for step in range(7)] == [3, 5, 8, 10, 13, 13, 13]
    assert [sequences_before(training, step) for step in range(7)] == [0, 3, 8, 16, 26, 39, 52]


def test_each_of_the_batches_of_a_step_grows() -> None:
    training = ramped(13, start=3, steps=4, accumulation=2)
    assert [sequences_of_step(training, step) for step in (1, 5)] == [10, 26]
    assert tokens_after(training, 5, context_length=7) == 2 * 39 * 7


def test_without_a_ramp_all_batches_are_alike() -> None:
    training = TrainingConfig(batch_size=5, gradient_accumulation=3)
    assert sequences_of_step(training, 0) == 15
    assert sequences_before(training, 4) == 60


@given(trainings(), st.integers(0, 150))
def test_what_was_seen_is_the_sum_of_all_steps(training: TrainingConfig, steps: int) -> None:
    sizes = [sequences_of_step(training, step) for step in range(steps)]
    assert [sequences_before(training, step) for step in range(steps + 1)] == list(
        accumulate(sizes, initial=0)
    )


@given(trainings())
def test_a_ramp_never_falls_and_keeps_both_ends(training: TrainingConfig) -> None:
    assert training.batch_ramp is not None
    sizes = [batch_of_step(training, step) for step in range(training.batch_ramp.steps + 1)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (training.batch_ramp.start, training.batch_size)


@given(trainings(), st.integers(1, 10_000))
def test_a_budget_is_spent_by_the_fewest_steps(training: TrainingConfig, tokens: int) -> None:
    steps = BudgetConfig(tokens=tokens).steps_for(COST, training)
    assert steps is not None
    assert tokens_after(training, steps - 1, 10) < tokens <= tokens_after(training, steps, 10)


@given(trainings(), st.floats(1, 1e7))
def test_a_budget_of_flops_is_spent_by_the_fewest_steps(training: TrainingConfig, flops: float) -> None:
    steps = BudgetConfig(flops=flops).steps_for(COST, training)
    assert steps is not None
    spent = [COST.flops_train(tokens_after(training, count, 10)) for count in (steps - 1, steps)]
    assert spent[0] < flops <= spent[1]


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        ({"tokens": 80}, 2),  # 3 + 5 sequences of 10 tokens
        ({"tokens": 81}, 3),
        ({"tokens": 260}, 4),  # the end of the ramp
        ({"tokens": 261}, 5),
        ({"tokens": 521}, 7),  # 26 + 13 + 13 sequences are 520 tokens
        ({"flops": 8 * 12_000}, 2),  # a sequence costs 3 x 4000
        ({"flops": 8 * 12_000 + 1}, 3),
        ({"tokens_per_param": 0.5}, 5),  # 350 tokens: 35 sequences, of which 26 + 13 are enough
        ({"steps": 3}, 3),
        ({"seconds": 1.0}, None),
    ],
)
def test_steps_of_a_ramp_count_what_they_see(budget: dict[str, Any], steps: int | None) -> None:
    assert BudgetConfig.model_validate(budget).steps_for(COST, ramped(13, start=3, steps=4)) == steps


def test_a_ramp_that_is_longer_than_any_training_is_counted_at_once() -> None:
    training = ramped(1024, start=1, steps=10**12)
    assert (
        steps_to_see(training, 10**6) == 10**6
    )  # one sequence each: the second comes after 10¹² / 1023 steps


def test_large_budgets_are_counted_to_the_token() -> None:
    training, cost = ramped(64, start=8, steps=100), replace(COST, context_length=1)
    wanted = 10**18
    steps = BudgetConfig(tokens=wanted).steps_for(cost, training)
    assert steps is not None
    assert tokens_after(training, steps, 1) - wanted < 64


def test_a_ramp_starts_at_or_below_the_batch() -> None:
    assert batch_of_step(ramped(16, start=16, steps=3), 0) == 16
    with pytest.raises(ValidationError, match="must be at most `batch_size`, got 17 and 16; try 16"):
        ramped(16, start=17, steps=3)
