import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_trainings import CPU, InterruptedAt, begin, job_for, settings, tiny

from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.record import Status, TrialRecord
from experiments.training.config import BudgetConfig
from experiments.training.memory import MemoryMeter
from experiments.training.sweep import MOST_RATES, Short, best_rate, next_rate
from experiments.trial import run_trial

RULE = 6e-4 * 768 / 16
"""For the width of `tiny`."""


def swept(loss_of: dict[float, float] | None = None, valley: float = 1.0, start: float = 1.0) -> list[float]:
    """The rates that are tried where the loss is |log2(rate / valley)|, or as it is given."""
    tried: dict[float, float] = {}
    while (rate := next_rate(tried, start)) is not None:
        tried[rate] = abs(math.log2(rate / valley)) if loss_of is None else loss_of.get(rate, math.inf)
    return list(tried)


def test_a_valley_at_the_start_takes_three_rates() -> None:
    assert swept() == [1.0, 0.5, 2.0]


def test_it_widens_until_the_best_has_a_worse_one_on_either_side() -> None:
    assert swept(valley=4.0) == [1.0, 0.5, 2.0, 4.0, 8.0]
    assert swept(valley=0.25) == [1.0, 0.5, 2.0, 0.25, 0.125]


def test_what_diverges_is_worse_than_all_else() -> None:
    assert swept({0.25: 3.0, 0.125: 3.1}) == [1.0, 0.5, 2.0, 0.25, 0.125]
    assert best_rate({1.0: math.inf, 0.5: 9.0}) == 0.5


def test_of_equal_losses_the_smallest_rate_is_the_best() -> None:
    assert best_rate({2.0: 3.0, 1.0: 3.0, 0.5: 4.0}) == 1.0


def test_it_looks_for_a_rate_that_does_not_diverge_until_it_gives_up() -> None:
    assert swept({}) == [1.0, 0.5, 2.0, 0.25, 0.125, 0.0625, 0.03125]


@given(st.floats(-12, 12), st.floats(1e-5, 1.0))
def test_the_best_of_a_valley_is_bracketed_or_the_rates_are_used_up(depth: float, start: float) -> None:
    tried = swept(valley=start * 2**depth, start=start)
    best = min(tried, key=lambda rate: abs(math.log2(rate / start) - depth))
    assert 3 <= len(tried) <= MOST_RATES
    assert len(set(tried)) == len(tried)
    assert len(tried) == MOST_RATES or min(tried) < best < max(tried)


def test_short_trainings_have_a_tenth_of_the_budget_but_some_steps_at_least(tokens: Tokens) -> None:
    def steps(**budget: float) -> BudgetConfig:
        declared = settings(learning_rate="auto")
        limit = BudgetConfig.model_validate(budget)
        return Short(tiny(), tokens, declared, limit, 0, CPU, MemoryMeter(CPU)).short_budget

    assert [steps(steps=number).steps for number in (1000, 1001, 100, 12)] == [100, 101, 20, 12]
    assert steps(seconds=30).seconds == pytest.approx(3.0)


def test_a_longer_training_takes_a_lower_rate(tokens: Tokens) -> None:
    def shift(**budget: float) -> float:
        limit = BudgetConfig.model_validate(budget)
        return Short(tiny(), tokens, settings(), limit, 0, CPU, MemoryMeter(CPU)).shift

    assert shift(steps=20) == 1.0
    # Bjorck et al. 2024: half of it for 2^(1 / 0.32) = 8.7 times as long a training.
    assert shift(steps=1000) == shift(seconds=5) == pytest.approx(0.4786, abs=1e-4)
    assert shift(steps=174) == pytest.approx(0.5, abs=1e-3)


def test_a_short_training_goes_through_its_own_ramp(tokens: Tokens) -> None:
    declared = settings(batch_ramp={"start": 1, "steps": 50}, compile="regional")
    short = Short(tiny(), tokens, declared, BudgetConfig(steps=100), 0, CPU, MemoryMeter(CPU))
    shown = short.with_rate(0.5)
    assert (shown.learning_rate, shown.compile, shown.evaluations) == (0.5, "off", 1)
    assert shown.batch_ramp is not None
    assert (shown.batch_ramp.start, shown.batch_ramp.steps) == (1, 5)


@pytest.fixture(scope="module")
def found(tokens: Tokens, tmp_path_factory: pytest.TempPathFactory) -> TrialRecord:
    folder = tmp_path_factory.mktemp("swept")
    return run_trial(job_for(tokens, folder, learning_rate="auto", budget={"steps": 30}), Silent())


def test_the_record_tells_what_was_tried_and_what_it_cost(found: TrialRecord) -> None:
    losses = {one.learning_rate: one.validation_loss for one in found.learning_rates}
    assert list(losses)[:3] == pytest.approx([RULE, RULE / 2, RULE * 2])
    best = min(losses, key=lambda rate: losses[rate] or math.inf)
    # 20 steps each, of the 30 that the training has.
    assert found.learning_rate == pytest.approx(best * (20 / 30) ** 0.32)
    assert found.train_flops is not None
    assert {one.train_flops for one in found.learning_rates} == {found.train_flops * 20 // 30}
    assert found.sweep_flops == len(losses) * (found.train_flops * 20 // 30)


def test_the_training_is_the_one_with_that_rate_to_the_bit(tokens: Tokens, found: TrialRecord) -> None:
    training = begin(tokens, budget={"steps": 30}, learning_rate=found.learning_rate)
    training.run(Silent())
    assert [point.validation_loss for point in training.spent.curve] == [
        point.validation_loss for point in found.curve
    ]


def test_its_losses_are_those_of_such_short_trainings(tokens: Tokens, found: TrialRecord) -> None:
    one = found.learning_rates[0]
    training = begin(tokens, budget={"steps": 20}, learning_rate=one.learning_rate, evaluations=1)
    training.run(Silent())
    assert training.spent.curve[-1].validation_loss == one.validation_loss


def test_an_interrupted_sweep_goes_on_from_the_trainings_that_are_finished(
    tokens: Tokens, tmp_path: Path, found: TrialRecord
) -> None:
    job = job_for(tokens, tmp_path, learning_rate="auto", budget={"steps": 30})
    with pytest.raises(KeyboardInterrupt):
        run_trial(job, InterruptedAt(50))  # of 21 updates each: in the third
    notes: list[str] = []

    class Heard(Silent):
        def update(self, done: float, note: str = "") -> None:
            notes.append(note)

    resumed = run_trial(job, Heard())
    assert resumed.learning_rates == found.learning_rates
    assert resumed.validation_loss == found.validation_loss
    first = f"learning rate {RULE:.2g}: "
    assert not any(note.startswith(first) for note in notes)
    assert any(note.startswith(f"learning rate {2 * RULE:.2g}: loss ") for note in notes)


@pytest.mark.parametrize("content", ["", "[]", '{"training": "another", "tried": []}', '{"tried": 3}'])
def test_what_another_sweep_has_kept_is_passed_over(
    tokens: Tokens, tmp_path: Path, found: TrialRecord, content: str
) -> None:
    job = job_for(tokens, tmp_path, learning_rate="auto", budget={"steps": 30})
    job.sweep.parent.mkdir(parents=True)
    job.sweep.write_text(content)
    assert run_trial(job, Silent()).learning_rates == found.learning_rates


def test_a_model_that_diverges_at_every_rate_has_diverged(tokens: Tokens, tmp_path: Path) -> None:
    # Infinite from the first scores on, whatever the rate.
    config = tiny(
        attention={"kind": "multi_head", "scale": 1e38}, norm={"kind": "none"}, initialization="torch"
    )
    job = job_for(tokens, tmp_path, config, learning_rate="auto", budget={"steps": 30})
    record = run_trial(job, Silent())
    assert record.status is Status.DIVERGED
    assert "the loss diverged at every learning rate from 0.0009 to 0.058" in record.reason
    assert [one.validation_loss for one in record.learning_rates] == [None] * MOST_RATES
    assert record.learning_rate is None
