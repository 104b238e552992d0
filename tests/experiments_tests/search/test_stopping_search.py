"""Searches that stop trainings, take them up, check and confirm."""

import signal
from pathlib import Path
from typing import Any

import pytest
from test_search_resume import search_until
from tiny_searches import SPACE, Searches, load_study, points, trained

from experiments.experiment import Experiment
from experiments.record import Purpose, Status, TrialRecord
from experiments.run_folder import RunFolder
from experiments.search import run_search
from registry.errors import DeclarationError

SETTLED = {"precision": "float32", "attention_backend": "written_out", "compile": "off", "loss_chunks": 1}
TRIALS = 12
STOPPING = {"rungs": [0.25, 0.5], "confidence": 0.6, "check": 2}


def declare(searches: Searches, stopping: dict[str, Any] | None = STOPPING, **changes: Any) -> Experiment:
    search = {"trials": TRIALS, "sampler": "random", "stopping": stopping, **changes.pop("search", {})}
    training = {**SETTLED, "evaluations": 4, "learning_rate": 0.01}
    changes = {"budget": {"steps": 40}, **changes}
    return searches.declare(SPACE, training=training, search=search, **changes)


def by_status(run: RunFolder, status: Status) -> list[TrialRecord]:
    return [record for record in run.load_records() if record.status is status]


def numbers(record: TrialRecord) -> list[tuple[int, float | None, float | None]]:
    return [(point.step, point.train_loss, point.validation_loss) for point in record.curve]


@pytest.fixture(scope="module")
def whole(searches: Searches, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_search(declare(searches), tmp_path_factory.mktemp("stopping"))


@pytest.fixture(scope="module")
def unstopped(searches: Searches, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_search(declare(searches, None), tmp_path_factory.mktemp("unstopped"))


def test_what_is_stopped_has_a_curve_as_far_as_it_came(whole: RunFolder) -> None:
    stopped = by_status(whole, Status.STOPPED)
    assert stopped
    for record in stopped:
        assert record.stopped_at in (0.25, 0.5)
        assert record.steps == 40 * record.stopped_at
        assert record.validation_loss is None
        assert record.predicted_loss is not None
        assert record.optimistic_loss is not None
        assert record.optimistic_loss < record.predicted_loss
        assert "costs no more" in record.reason
        # Five must be complete before anything is foretold.
        assert sum(one.trial < record.trial for one in by_status(whole, Status.COMPLETE)) >= 5


def test_stopping_changes_no_number_of_what_goes_on(whole: RunFolder, unstopped: RunFolder) -> None:
    expected = {record.config_hash: record for record in trained(unstopped)}
    both = [record for record in trained(whole) if record.config_hash in expected]
    assert len(both) > TRIALS // 2
    for record in both:
        unbroken = expected[record.config_hash]
        assert numbers(record) == numbers(unbroken)[: len(record.curve)]
        if record.status is Status.COMPLETE:
            assert record.train_flops == unbroken.train_flops


def test_checks_go_on_from_where_they_were_and_end_as_if_never_stopped(
    whole: RunFolder, unstopped: RunFolder
) -> None:
    expected = {record.config_hash: record for record in trained(unstopped)}
    checks = [record for record in whole.load_records() if record.purpose is Purpose.CHECK]
    assert len(checks) == min(2, len(by_status(whole, Status.STOPPED)))
    for record in checks:
        assert record.status is Status.COMPLETE
        assert record.continues is not None
        stopped = next(one for one in whole.load_records() if one.trial == record.continues)
        assert record.parameters == stopped.parameters
        assert numbers(record) == numbers(expected[record.config_hash])


def test_a_search_that_is_asked_again_does_nothing(searches: Searches, whole: RunFolder) -> None:
    before = points(whole)
    run_search(declare(searches), whole.path)
    assert points(whole) == before


@pytest.mark.slow
@pytest.mark.parametrize("records", [6, TRIALS + 1])
def test_a_search_that_was_killed_stops_the_same_ones(
    searches: Searches, whole: RunFolder, tmp_path: Path, records: int
) -> None:
    run = RunFolder(tmp_path / "run")
    assert search_until(declare(searches), run, records, signal.SIGKILL) != 0
    run_search(declare(searches), run.path)
    assert points(run) == points(whole)
    assert [(one.stopped_at, one.continues) for one in run.load_records()] == [
        (one.stopped_at, one.continues) for one in whole.load_records()
    ]
    assert [(one.params, one.values, one.state) for one in load_study(run).trials] == [
        (one.params, one.values, one.state) for one in load_study(whole).trials
    ]


@pytest.mark.slow
def test_trials_at_once_are_judged_by_those_of_earlier_generations(
    searches: Searches, tmp_path: Path
) -> None:
    first, again = (run_search(declare(searches, parallel=3), tmp_path / name) for name in ("one", "two"))
    assert points(first) == points(again)
    assert by_status(first, Status.STOPPED)


def test_a_stopped_variant_that_is_proposed_again_is_taken_up(searches: Searches, tmp_path: Path) -> None:
    experiment = declare(searches, {**STOPPING, "check": 0})
    run = run_search(experiment, tmp_path)
    stopped = by_status(run, Status.STOPPED)[-1]
    study = load_study(run)
    study.enqueue_trial(stopped.parameters)
    more = declare(searches, {**STOPPING, "check": 0}, search={"trials": TRIALS + 1})
    run_search(more, run.path)
    record = next(one for one in run.load_records() if one.continues == stopped.trial)
    assert numbers(record)[: len(stopped.curve)] == numbers(stopped)
    assert record.status is Status.COMPLETE or (record.stopped_at or 0) > (stopped.stopped_at or 0)


def test_members_of_the_front_are_trained_again_with_seeds_that_did_not_choose_them(
    searches: Searches, tmp_path: Path
) -> None:
    experiment = declare(searches, None, search={"trials": 5, "confirm": 2}, seeds=[3])
    run = run_search(experiment, tmp_path)
    records = run.load_records()
    confirmed = {record.config_hash for record in records if record.purpose is Purpose.CONFIRM}
    assert confirmed
    for name in confirmed:
        own = [record for record in records if record.config_hash == name]
        assert sorted({record.seed for record in own}) == [3, 4, 5]
        assert all((record.purpose is Purpose.CONFIRM) == (record.seed > 3) for record in own)
        assert len({record.validation_loss for record in own}) == 3
    assert len(load_study(run).trials) == len({record.trial for record in records})


def test_rungs_that_no_curve_has_are_refused(searches: Searches) -> None:
    with pytest.raises(DeclarationError, match=r"rung 0\.3 is no point of the learning curve"):
        declare(searches, {"rungs": [0.3]})


def test_flops_end_a_search(searches: Searches, tmp_path: Path) -> None:
    first = trained(run_search(declare(searches, None, search={"trials": 1}), tmp_path / "one"))[0]
    limit = 2.5 * (first.train_flops or 0)
    run = run_search(declare(searches, None, search={"trials": None, "flops": limit}), tmp_path / "some")
    spent = [record.train_flops or 0 for record in trained(run)]
    assert sum(spent[:-1]) < limit <= sum(spent)


@pytest.mark.parametrize("rule", ["asha", "hyperband", "median", "wilcoxon"])
def test_rules_of_optuna_stop_trials_of_a_single_objective(
    searches: Searches, tmp_path: Path, rule: str
) -> None:
    run = run_search(
        declare(searches, {"rule": rule, "confidence": 0.6, "check": 0}, objectives=["validation_loss"]),
        tmp_path,
    )
    stopped = by_status(run, Status.STOPPED)
    assert len(by_status(run, Status.COMPLETE)) + len(stopped) == TRIALS
    assert all(f"by the rule {rule}" in record.reason for record in stopped)
    if rule in ("asha", "median"):
        assert stopped
