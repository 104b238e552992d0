from typing import Any

import pytest
from known_cost import COST
from pydantic import ValidationError
from tiny_trainings import train

from experiments.data.tokens import Tokens
from experiments.training.config import BudgetConfig, TrainingConfig


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        ({"steps": 7}, 7),
        ({"tokens": 800}, 10),  # 80 tokens a step
        ({"tokens": 801}, 11),  # spent in full, so rounded up
        ({"tokens": 1}, 1),
        ({"flops": 96_000}, 1),  # a step costs 80 x 1200 = 96,000
        ({"flops": 960_001}, 11),
        ({"tokens_per_param": 20}, 175),  # 14,000 tokens
        ({"tokens_per_param": 0.1}, 1),  # 70 tokens
        ({"seconds": 3.0}, None),
    ],
)
def test_steps_spend_the_budget(budget: dict[str, Any], steps: int | None) -> None:
    training = TrainingConfig(batch_size=4, gradient_accumulation=2)  # x 10 tokens
    assert BudgetConfig.model_validate(budget).steps_for(COST, training) == steps


@pytest.mark.parametrize(
    ("budget", "said"), [({}, "got none"), ({"steps": 3, "tokens": 100}, "got tokens and steps")]
)
def test_a_budget_is_exactly_one_limit(budget: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        BudgetConfig.model_validate(budget)


@pytest.mark.parametrize("budget", [{"steps": 0}, {"tokens": -1}, {"seconds": 0}, {"flops": 0.0}])
def test_a_budget_is_above_zero(budget: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        BudgetConfig.model_validate(budget)


def test_a_budget_of_seconds_ends_with_a_point_of_the_curve(tokens: Tokens) -> None:
    training = train(tokens, budget={"seconds": 0.3}, evaluations=3)
    spent = training.spent
    assert spent.seconds >= 0.3
    assert spent.curve[-1].step == spent.step
    assert 1 <= len(spent.curve) <= 3  # a slow step may pass two points


def test_even_a_moment_pays_for_one_step(tokens: Tokens) -> None:
    spent = train(tokens, budget={"seconds": 1e-9}).spent
    assert (spent.step, len(spent.curve)) == (1, 1)
