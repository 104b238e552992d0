"""Searches by costs that are known beforehand."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_search_resume import search_until
from tiny_searches import LIMIT, SPACE, TINY, Listening, Searches, assert_same, load_study, points, trained

from experiments.experiment import Experiment
from experiments.point_table import build_point_table
from experiments.record import Status
from experiments.run_folder import RunFolder
from experiments.search import run_search
from experiments.search.cost_aware import choose
from experiments.search.cost_aware.points import find_points

SETTLED = {"precision": "float32", "attention_backend": "written_out", "compile": "off", "loss_chunks": 1}
TRIALS = 9


def declare(searches: Searches, **changes: Any) -> Experiment:
    changes = {"budget": {"steps": 40}, "search": {"trials": TRIALS}, "constraints": [LIMIT], **changes}
    return searches.declare(SPACE, training=SETTLED, **changes)


@pytest.fixture(scope="module")
def whole(searches: Searches, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_search(declare(searches), tmp_path_factory.mktemp("whole"))


def test_each_proposal_is_a_new_model_that_can_be_trained(whole: RunFolder) -> None:
    records = whole.load_records()
    assert [record.status for record in records] == [Status.COMPLETE] * TRIALS
    assert len({record.config_hash for record in records}) == TRIALS
    assert max(record.params or 0 for record in records) <= 30_000


def test_a_study_knows_the_points_as_those_of_any_sampler(whole: RunFolder) -> None:
    for trial, record in zip(load_study(whole).trials, whole.load_records(), strict=True):
        assert trial.params == record.parameters
        assert trial.values == [record.validation_loss, record.train_flops]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "records"), [(signal.SIGKILL, 3), (signal.SIGINT, 7)], ids=["killed", "interrupted"]
)
def test_a_search_that_was_cut_off_proposes_and_finds_what_it_would_have_found(
    searches: Searches, whole: RunFolder, tmp_path: Path, number: signal.Signals, records: int
) -> None:
    run = RunFolder(tmp_path / "run")
    search_until(declare(searches), run, records, number)
    assert len(trained(run)) < TRIALS
    run_search(declare(searches), run.path)
    assert_same(run, whole)


@pytest.mark.slow
def test_trials_that_are_proposed_together_are_different_models(searches: Searches, tmp_path: Path) -> None:
    first, again = (run_search(declare(searches, parallel=3), tmp_path / name) for name in ("first", "again"))
    records = first.load_records()
    assert len({record.config_hash for record in records}) == len(records) == TRIALS
    assert points(first) == points(again)


def test_a_space_is_searched_to_its_end(searches: Searches, tmp_path: Path) -> None:
    space = {
        **TINY,
        "n_heads": {"choice": [2, 4, 5]},  # 5 divides no width
        "emb_dim": {"choice": [8, 64]},
        "n_layers": {"int": {"low": 1, "high": 2}},
    }
    listening = Listening()
    experiment = searches.declare(space, constraints=[LIMIT], training=SETTLED, search={"trials": 30})
    run = run_search(experiment, tmp_path, listening)
    # Width 8 with two or four heads and one or two layers: 64 wide, all break the limit.
    assert len(trained(run)) == len(run.load_records()) == 4
    assert listening.messages[-1].startswith("every one of the 4 points that can be trained has been tried")


def test_a_model_that_fails_gives_way_to_chance(
    searches: Searches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise np.linalg.LinAlgError("the matrix is not positive definite")

    monkeypatch.setattr(choose, "fit_surrogate", fail)
    run = run_search(declare(searches, budget={"steps": 2}), tmp_path)
    records = run.load_records()
    assert len({record.config_hash for record in records}) == TRIALS
    told = [record.note for record in records]
    why = "LinAlgError: the matrix is not positive definite"
    reason = f"proposed at random: the losses could not be modelled: {why}"
    assert told == [""] * choose.STARTS + [reason] * (TRIALS - choose.STARTS)


@pytest.mark.parametrize(
    ("objectives", "asked", "used"),
    [
        (["validation_loss", "params"], {}, "cost_aware"),
        (["validation_loss"], {}, "tpe"),
        (["validation_loss", "seconds"], {}, "tpe"),
        (["validation_loss", "params"], {"sampler": "random"}, "random"),
    ],
)
def test_known_costs_decide_who_proposes(
    searches: Searches, tmp_path: Path, objectives: list[str], asked: dict[str, str], used: str
) -> None:
    experiment = declare(searches, objectives=objectives, search={"trials": 1, **asked}, budget={"steps": 1})
    run = run_search(experiment, tmp_path)
    (trial,) = load_study(run).get_trials()[-1:]
    assert ("cost_aware" in trial.system_attrs) == (used == "cost_aware")


@pytest.mark.parametrize("sampler", ["nsga2", "nsga3", "gp", "brute_force"])
def test_samplers_of_optuna_can_be_chosen(searches: Searches, tmp_path: Path, sampler: str) -> None:
    run = run_search(
        declare(searches, search={"trials": 3, "sampler": sampler}, budget={"steps": 1}), tmp_path
    )
    assert len(trained(run)) == 3


def test_brute_force_ends_with_the_space(searches: Searches, tmp_path: Path) -> None:
    space = {**TINY, "n_layers": {"int": {"low": 1, "high": 3}}}
    experiment = searches.declare(space, training=SETTLED, search={"sampler": "brute_force"})
    run = run_search(experiment, tmp_path)
    assert sorted(record.parameters["n_layers"] for record in trained(run)) == [1, 2, 3]


@pytest.mark.parametrize("sampler", ["auto", "random"])
def test_a_space_without_a_point_that_can_be_trained_is_refused_before_training(
    searches: Searches, tmp_path: Path, sampler: str
) -> None:
    space = {**TINY, "n_heads": {"choice": [3, 5]}, "n_layers": {"int": {"low": 1, "high": 2}}}
    with pytest.raises(ValueError, match=r"no point of the space can be trained: 4 break .*n_heads") as told:
        run_search(searches.declare(space, search={"sampler": sampler}), tmp_path)
    assert "loosen the constraints" in str(told.value)
    assert not (tmp_path / "trials").exists()


def test_limits_that_no_point_keeps_are_told_before_training(searches: Searches, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no point of the space can be trained: .* break `params <= 10`"):
        run_search(declare(searches, constraints=["params <= 10"]), tmp_path)


def test_objectives_that_are_all_known_need_no_search(searches: Searches, tmp_path: Path) -> None:
    experiment = declare(searches, objectives=["params", "flops_forward"], search={"sampler": "cost_aware"})
    with pytest.raises(ValueError, match="params, flops_forward are known without training"):
        run_search(experiment, tmp_path)


def test_a_search_ends_when_nothing_is_left_to_gain(searches: Searches, tmp_path: Path) -> None:
    listening = Listening()
    search = {"least_gain": 0.5}  # half of all that is found: no proposal promises that for long
    run = run_search(declare(searches, search=search, budget={"steps": 20}), tmp_path, listening)
    assert choose.STARTS < len(trained(run)) < 20
    assert "expected to enlarge the front by" in listening.messages[-1]
    proposals = [trial.system_attrs["cost_aware"] for trial in load_study(run).trials]
    assert all(proposal["left"] < 0.5 for proposal in proposals[-3:])


def test_what_was_stopped_is_known_to_the_sampler_with_its_doubt(searches: Searches, tmp_path: Path) -> None:
    stopping = {"rungs": [0.5], "confidence": 0.51, "check": 0}
    experiment = searches.declare(
        SPACE,
        training={**SETTLED, "evaluations": 2, "learning_rate": 0.01},
        budget={"steps": 60},
        search={"trials": 14, "stopping": stopping},
    )
    run = run_search(experiment, tmp_path)
    stopped = {record.trial: record for record in run.load_records() if record.status is Status.STOPPED}
    assert stopped
    for trial in load_study(run).trials:
        if trial.number in stopped:
            record = stopped[trial.number]
            told = [record.predicted_loss, record.predicted_loss_deviation, 0.5]
            assert trial.user_attrs["stopped"] == told
    again = run_search(experiment, tmp_path / "again")
    assert points(again) == points(run)


def test_gain_is_not_asked_of_who_cannot_tell(searches: Searches, tmp_path: Path) -> None:
    experiment = declare(searches, search={"least_gain": 0.1}, objectives=["validation_loss"])
    with pytest.raises(ValueError, match="only the sampler cost_aware tells"):
        run_search(experiment, tmp_path)


def test_a_loss_is_modelled_whatever_it_is_called_and_wherever_it_stands(searches: Searches) -> None:
    experiment = declare(searches, objectives=["seconds", "perplexity", "params"])
    points = find_points(experiment, build_point_table(experiment, 50, 0))
    assert points.loss.name == "perplexity"
    assert [one.name for one in points.measured] == ["seconds"]
    assert [one.name for one in points.costs] == ["params"]
