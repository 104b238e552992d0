"""Who goes on at a rung, and who does not."""

from collections.abc import Sequence
from typing import Any

import pytest

from experiments.record import CurvePoint, Purpose, Status, TrialRecord
from experiments.search.stopping.front import FrontRule
from experiments.search.stopping.pruners import PrunerRule, build_pruner
from experiments.search.stopping.rule import Case, Rung, Stop, loss_at
from experiments.search_config import StoppingConfig
from experiments.training.config import TrainingConfig

HALF = Rung(0.5, 1)
SECOND = Rung(0.5, 2)
OBJECTIVES = ("validation_loss", "params")


def curve(*losses: float) -> list[CurvePoint]:
    return [
        CurvePoint(
            step=step, tokens=step, train_flops=step, seconds=step, train_loss=loss, validation_loss=loss
        )
        for step, loss in enumerate(losses, 1)
    ]


def record(trial: int, *losses: float, **fields: Any) -> TrialRecord:
    told = {"status": Status.COMPLETE, "params": 100, "validation_loss": losses[-1], **fields}
    names: dict[str, Any] = {"variant": "v", "seed": 0, "config": {}, "config_hash": str(trial)}
    return TrialRecord(trial=trial, curve=curve(*losses), **{**names, **told})


def case(loss: float, **fields: Any) -> Case:
    own = record(9, loss, status=Status.STOPPED, **{**fields, "validation_loss": None})
    return Case(9, own.model_copy(update={"seconds": None}), [own])


def six(costs: Sequence[int] = (100,) * 6) -> list[list[TrialRecord]]:
    """All fall by 1 from half of the budget to its end, give or take 0.01."""
    starts, noise = (3.0, 3.1, 3.2, 3.3, 3.4, 3.5), (0.01, -0.01, 0.01, -0.01, 0.01, -0.01)
    return [
        [record(trial, start, start - 1 + noise[trial], params=costs[trial])]
        for trial, start in enumerate(starts)
    ]


def judge(loss: float, before: list[list[TrialRecord]], **fields: Any) -> Stop | None:
    return FrontRule(OBJECTIVES, 0.95).judge(case(loss, **fields), HALF, before)


def test_what_ends_above_a_cheaper_one_for_certain_is_stopped() -> None:
    stop = judge(3.4, six(), params=100)
    assert stop is not None
    assert stop.predicted_loss == pytest.approx(2.4, abs=0.01)
    assert stop.optimistic_loss is not None
    assert 2.3 < stop.optimistic_loss < 2.4
    assert "stopped at 50% of its budget" in stop.reason
    assert "trial 0" in stop.reason


def test_what_costs_less_than_all_that_are_better_goes_on() -> None:
    assert judge(3.4, six(), params=99) is None
    # Only the one of 2.49 costs no more, which is not better than what may become of this one.
    assert judge(3.4, six((100, 100, 100, 100, 100, 50)), params=60) is None


def test_what_may_still_be_the_best_goes_on() -> None:
    assert judge(3.0, six(), params=100) is None
    assert judge(2.5, six(), params=100) is None


def test_few_or_uncertain_peers_stop_nothing() -> None:
    assert judge(3.4, six()[:4]) is None
    crossing = [[record(n, 3 + n / 10, 2 + (n * 7 % 5) / 2)] for n in range(6)]
    assert judge(3.4, crossing) is None


def test_refused_failed_and_confirming_trials_are_no_peers() -> None:
    others = [[], [record(0, 3.0, 2.0, status=Status.FAILED)], [record(1, 3.0, 2.0, purpose=Purpose.CONFIRM)]]
    assert judge(3.4, six()[:4] + others) is None
    assert judge(3.4, six() + others) is not None


def test_a_cost_that_only_training_tells_is_projected_to_the_end() -> None:
    rule = FrontRule(("validation_loss", "seconds"), 0.95)
    before = [[one.model_copy(update={"seconds": 10.0}) for one in trial] for trial in six()]
    # 6 s at half of the budget are 12 s at its end, 4 s are 8 s.
    assert rule.judge(case(3.4, seconds=6.0), HALF, before) is not None
    assert rule.judge(case(3.4, seconds=4.0), HALF, before) is None


def test_seeds_of_a_trial_are_judged_by_their_mean() -> None:
    pair = [record(0, 3.0, seed=0), record(0, 4.0, seed=1)]
    assert loss_at(pair, 1) == pytest.approx(3.5)
    assert loss_at([record(0, 3.0).model_copy(update={"curve": []})], 1) is None


def pruner_rule(rule: str, points: int = 4, **changes: Any) -> PrunerRule:
    stopping = StoppingConfig.model_validate({"rule": rule, "rungs": [0.25, 0.5], **changes})
    return PrunerRule(rule, build_pruner(stopping, points), "study")


def test_the_median_rule_stops_what_is_above_the_median_of_those_before() -> None:
    before = [[record(number, loss, 3.0, 2.5, 2.0)] for number, loss in enumerate((4.0, 4.1, 4.2, 4.3, 4.4))]
    for loss, stopped in ((4.19, False), (4.25, True)):
        rule = pruner_rule("median")
        own = record(5, loss, status=Status.STOPPED)
        assert (rule.judge(Case(5, own, [own]), Rung(0.25, 1), before) is not None) == stopped


def test_successive_halving_lets_the_better_half_go_on() -> None:
    rule, before, went_on = pruner_rule("asha"), list[list[TrialRecord]](), list[float]()
    losses = (4.0, 4.1, 3.9, 4.5, 3.8, 4.2)
    for number, loss in enumerate(losses):
        own = record(number, loss, status=Status.STOPPED)
        if rule.judge(Case(number, own, [own]), Rung(0.25, 1), before) is None:
            went_on.append(loss)
            own = record(number, loss, loss - 1, loss - 1.5, loss - 2)
        before.append([own])
    # By hand: of 1 the best 1, of 2, 3 the best 1, of 4, 5 the best 2, of 6 the best 3.
    assert went_on == [4.0, 3.9, 3.8]


@pytest.mark.parametrize("name", ["asha", "hyperband", "median", "wilcoxon"])
def test_a_rule_that_is_told_all_again_judges_as_before(name: str) -> None:
    curves = [(4 + number * 7 % 5 / 5, 3.5 + number * 3 % 4 / 5, 3.0, 2.5) for number in range(12)]
    kept, before, answers = pruner_rule(name), list[list[TrialRecord]](), list[bool]()
    for number, losses in enumerate(curves):
        # One rule that has seen all, and one that is told anew, as after an interruption.
        kept_at, anew_at = (stopped_at(rule, number, losses, before) for rule in (kept, pruner_rule(name)))
        assert kept_at == anew_at
        answers.append(kept_at > 0)
        ended = (
            record(number, *losses[:kept_at], status=Status.STOPPED) if kept_at else record(number, *losses)
        )
        before.append([] if number == 3 else [ended])
    assert any(answers) or name == "wilcoxon"  # which needs more points than these curves have


def stopped_at(
    rule: PrunerRule, number: int, losses: Sequence[float], before: Sequence[Sequence[TrialRecord]]
) -> int:
    """The point of a curve at which a rule stops it, or 0."""
    for rung in (Rung(0.25, 1), SECOND):
        own = record(number, *losses[: rung.point], status=Status.STOPPED)
        if rule.judge(Case(number, own, [own]), rung, before) is not None:
            return rung.point
    return 0


def test_wilcoxon_stops_what_is_worse_at_each_point() -> None:
    best = [2.0 + point / 100 for point in range(16, 0, -1)]
    before = [[record(0, *best)]]
    for shift, stopped in ((0.3, True), (-0.3, False)):
        rule = pruner_rule("wilcoxon", 16)
        own = record(1, *(loss + shift for loss in best[:8]), status=Status.STOPPED)
        assert (rule.judge(Case(1, own, [own]), Rung(0.5, 8), before) is not None) == stopped


@pytest.mark.parametrize(
    ("stopping", "told"),
    [
        (
            {"rungs": [0.3]},
            "is no point of the learning curve; with `evaluations: 4` those are 0.25, 0.5, 0.75",
        ),
        (
            {"rule": "asha"},
            "`asha` judges a single objective, got validation_loss, params; try `rule: front`",
        ),
    ],
)
def test_what_cannot_be_judged_is_told_with_the_fix(stopping: dict[str, Any], told: str) -> None:
    config = StoppingConfig.model_validate(stopping)
    assert told in config.explain_misfit(OBJECTIVES, TrainingConfig(evaluations=4))


def test_without_a_loss_nothing_can_be_judged() -> None:
    said = StoppingConfig().explain_misfit(("params", "train_flops"), TrainingConfig())
    assert "add one of validation_loss" in said
