import pytest
from pydantic import ValidationError

from experiments.prediction import foresee
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.learning_rate import rate_by_width
from experiments.tuning import resolve
from gpt_zoo.config.gpt import GPTConfig

GPT_3 = {
    768: 6e-4,
    1024: 3e-4,
    1536: 2.5e-4,
    2048: 2e-4,
    2560: 1.6e-4,
    4096: 1.2e-4,
    5140: 1e-4,
    12288: 0.6e-4,
}
"""Brown et al. 2020, table 2.1."""


def config(width: int = 96) -> GPTConfig:
    return GPTConfig(vocab_size=256, context_length=16, emb_dim=width, n_heads=2, n_layers=1)


def settled(width: int = 96, **training: object) -> TrainingConfig:
    asked = TrainingConfig.model_validate({"learning_rate": "by_width", **training})
    return resolve(asked, config(width), "cpu", None, 10)


def test_the_rule_is_as_far_from_gpt_3_as_its_docstring_says() -> None:
    ratios = [rate_by_width(width) / rate for width, rate in GPT_3.items()]
    assert ratios == pytest.approx([1.0, 1.5, 1.2, 1.125, 1.125, 0.9375, 0.8965, 0.625], abs=1e-4)
    for told in (f"{ratio:.2f}" for ratio in ratios if f"{ratio:.3f}" not in ("1.125", "0.625")):
        assert told in (rate_by_width.__doc__ or "")


def test_by_width_becomes_a_number_before_the_training() -> None:
    assert settled(96).learning_rate == pytest.approx(6e-4 * 8)
    assert settled(192).learning_rate == pytest.approx(6e-4 * 4)


def test_lion_takes_a_fifth() -> None:
    assert settled(96, optimizer="lion").learning_rate == pytest.approx(6e-4 * 8 / 5)


def test_under_mup_the_rule_is_that_of_the_base_width_for_all() -> None:
    rates = [settled(width, parametrization="mup", base_width=48).learning_rate for width in (48, 96, 192)]
    assert rates == pytest.approx([6e-4 * 16] * 3)


def test_a_number_and_auto_stay() -> None:
    assert settled(learning_rate=0.3).learning_rate == 0.3
    assert settled(learning_rate="auto").learning_rate == "auto"


@pytest.mark.parametrize("rate", ["by_width", "auto"])
def test_costs_are_known_without_a_rate(rate: str) -> None:
    training, given = TrainingConfig.model_validate({"learning_rate": rate}), TrainingConfig()
    budget = BudgetConfig(steps=5)
    assert foresee(config(), training, budget, "cpu") == foresee(config(), given, budget, "cpu")


def test_what_is_not_settled_is_no_number() -> None:
    assert settled().peak_learning_rate == settled().learning_rate
    with pytest.raises(ValueError, match="resolve the training first, or give a number"):
        _ = TrainingConfig(learning_rate="auto").peak_learning_rate


@pytest.mark.parametrize("rate", [0, -1e-3, "by_widht", True])
def test_no_other_word_or_number_is_a_rate(rate: object) -> None:
    with pytest.raises(ValidationError, match="learning_rate"):
        TrainingConfig.model_validate({"learning_rate": rate})
