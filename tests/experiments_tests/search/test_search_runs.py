"""Whole searches by each sampler, from proposals to reports."""

import json
import shutil
from pathlib import Path
from statistics import fmean

import pandas as pd
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState
from tiny_searches import (
    LIMIT,
    SPACE,
    TINY,
    Listening,
    Searches,
    load_importances,
    load_study,
    points,
    trained,
)

from experiments.record import Status
from experiments.run_folder import RunFolder
from experiments.search import loop, run_search

GRID = {
    **TINY,
    "emb_dim": {"choice": [8, 16, 512]},  # the last breaks the limit
    "n_heads": {"choice": [2, 3]},  # 3 divides none
}


@pytest.fixture(scope="module")
def gridded(searches: Searches, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Listening]:
    progress = Listening()
    experiment = searches.declare(
        GRID, constraints=[LIMIT], search={"sampler": "grid"}, objectives=["validation_loss"]
    )
    return run_search(experiment, tmp_path_factory.mktemp("grid"), progress), progress


def test_a_grid_tries_each_point_once_and_stops(gridded: tuple[RunFolder, Listening]) -> None:
    run, progress = gridded
    asked = [(record.parameters["emb_dim"], record.parameters["n_heads"]) for record in run.load_records()]
    assert sorted(asked) == [(8, 2), (8, 3), (16, 2), (16, 3), (512, 2), (512, 3)]
    assert progress.messages[-1].startswith("every one of the 6 points of the space has been tried; 2 of 6")


def test_each_way_to_end_is_a_row_and_a_trial_of_the_study(gridded: tuple[RunFolder, Listening]) -> None:
    run, _ = gridded
    study = load_study(run)
    assert study.directions == [StudyDirection.MINIMIZE]
    assert len(study.trials) == 6
    for record, trial in zip(run.load_records(), study.trials, strict=True):
        assert (record.trial, record.parameters) == (trial.number, trial.params)
        width, heads = record.parameters["emb_dim"], record.parameters["n_heads"]
        if heads == 3:  # whatever the limit says, it is no config
            assert (record.status, record.steps) == (Status.INFEASIBLE, None)
            assert record.reason.startswith("n_heads: ")
            assert f"got {width} and 3" in record.reason
            assert record.config["emb_dim"] == width
        elif width == 512:
            assert (record.status, record.steps) == (Status.INFEASIBLE, None)
            assert record.reason.startswith(f"{LIMIT} is broken")
        else:
            assert (record.status, record.steps) == (Status.COMPLETE, 3)
            assert (trial.state, trial.values) == (TrialState.COMPLETE, [record.validation_loss])
            assert all(violation <= 0 for violation in trial.constraints.values())
        if record.status is Status.INFEASIBLE:
            assert trial.state is TrialState.PRUNED
            assert any(violation > 0 for violation in trial.constraints.values())


def test_a_space_without_end_is_no_grid(searches: Searches) -> None:
    space = {**TINY, "drop_rate": {"float": {"low": 0.0, "high": 0.5}}}
    with pytest.raises(ValueError, match=r"search.sampler: a grid needs a finite space; give drop_rate"):
        searches.declare(space, search={"sampler": "grid"})
    wide = {**TINY, "emb_dim": {"int": {"low": 1, "high": 1_000_000}}}
    with pytest.raises(ValueError, match="a grid may have 100000 points, this one has 1000000"):
        searches.declare(wide, search={"sampler": "grid"})


def test_what_a_search_has_learnt_is_kept_with_it(gridded: tuple[RunFolder, Listening]) -> None:
    told = json.loads(gridded[0].lessons.read_text())
    assert told["architectures"] == 2
    assert told["note"].startswith("2 architectures trained to the end: it takes 8")
    assert "Nothing can be said yet: 2 architectures" in (gridded[0].path / "report.md").read_text()


@pytest.fixture(scope="module")
def random_search(searches: Searches, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    experiment = searches.declare(
        SPACE,
        seeds=[0, 5],
        search={"sampler": "random", "trials": 3},
        constraints=[LIMIT],
        objectives=["validation_loss", "tokens_per_second"],
    )
    return run_search(experiment, tmp_path_factory.mktemp("random"))


def test_the_mean_over_seeds_is_what_the_study_learns(random_search: RunFolder) -> None:
    study = load_study(random_search)
    assert study.directions == [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]
    records = random_search.load_records()
    for trial in study.get_trials(states=(TrialState.COMPLETE,)):
        own = [record for record in records if record.trial == trial.number]
        assert [record.seed for record in own] == [0, 5]
        assert own[0].validation_loss != own[1].validation_loss
        assert trial.values == [
            fmean(record.validation_loss or 0 for record in own),
            fmean(record.tokens_per_second or 0 for record in own),
        ]
    assert len({record.trial for record in trained(random_search)}) == 3


@pytest.fixture
def folder(random_search: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the finished search, to go on with."""
    shutil.copytree(random_search.path, tmp_path / "copy", copy_function=shutil.copy2)
    return RunFolder(tmp_path / "copy")


def test_more_trials_are_added_to_those_that_there_are(
    searches: Searches, random_search: RunFolder, folder: RunFolder
) -> None:
    objectives = ["validation_loss", "tokens_per_second"]
    more = searches.declare(
        SPACE,
        seeds=[0, 5],
        search={"sampler": "random", "trials": 5},
        constraints=[LIMIT],
        objectives=objectives,
    )
    folder.study.unlink()  # even without the study: it is proposed again, and answered from the records
    run_search(more, folder.path)
    before = points(random_search)
    assert points(folder)[: len(before)] == before
    for path in (random_search.path / "trials").iterdir():
        assert (folder.path / "trials" / path.name).stat().st_mtime_ns == path.stat().st_mtime_ns
    assert len({record.trial for record in trained(folder)}) == 5
    numbers = [trial.number for trial in load_study(folder).trials]
    assert numbers == sorted({record.trial for record in folder.load_records()}) == list(range(len(numbers)))


def test_a_study_of_another_search_is_refused(searches: Searches, folder: RunFolder) -> None:
    experiment = searches.declare(
        SPACE,
        seeds=[0, 5],
        search={"sampler": "random", "trials": 9},
        constraints=[LIMIT],
        objectives=["validation_loss", "tokens_per_second"],
    )
    folder.study.unlink()
    record = folder.load_records()[0]
    other = {**record.parameters, "n_layers": 3 - record.parameters["n_layers"]}
    folder.write_record(record.model_copy(update={"parameters": other}))
    with pytest.raises(ValueError, match=r"trial 0 has other values in .* than in the study"):
        run_search(experiment, folder.path)


def test_nsga2_searches_to_its_end(searches: Searches, tmp_path: Path) -> None:
    experiment = searches.declare(SPACE, search={"sampler": "nsga2", "trials": 4}, constraints=[LIMIT])
    run = run_search(experiment, tmp_path)
    assert len(trained(run)) == 4
    front = [trial.number for trial in load_study(run).best_trials]
    assert front
    rows = {record.trial: record for record in run.load_records()}
    assert all(rows[number].status is Status.COMPLETE for number in front)


def test_a_space_that_breaks_every_limit_is_given_up(
    searches: Searches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "FRUITLESS_PROPOSALS", 15)
    space = {**TINY, "emb_dim": {"int": {"low": 100, "high": 9000, "step": 2}}}
    progress = Listening()
    experiment = searches.declare(space, constraints=["params <= 10"], search={"sampler": "tpe"})
    run = run_search(experiment, tmp_path, progress)
    assert progress.messages == [
        "none of 2000 points drawn from the space can be trained: 2000 break `params <= 10`; "
        "loosen the constraints or widen the space",
        "the last 15 proposals were infeasible or known already; 0 of 20 trials are trained: "
        "loosen the constraints or widen the space",
    ]
    assert [record.status for record in run.load_records()] == [Status.INFEASIBLE] * 15
    assert (run.path / "report.html").exists()
    assert load_importances(run) == {}
    again = run_search(experiment, tmp_path)
    assert len(again.load_records()) == 15  # asking again proposes no more


def test_a_search_in_which_all_diverges_still_reports(searches: Searches, tmp_path: Path) -> None:
    experiment = searches.declare(
        SPACE,
        budget={"steps": 30},
        training={"learning_rate": 1e30},
        search={"trials": 3, "sampler": "random"},
    )
    run = run_search(experiment, tmp_path)
    rows = trained(run)
    assert [record.status for record in rows] == [Status.DIVERGED] * 3
    states = {trial.number: trial.state for trial in load_study(run).trials}
    assert all(states[record.trial] is TrialState.FAIL for record in rows)
    assert load_study(run).best_trials == []
    assert not pd.read_parquet(run.path / "trials.parquet")["on_front"].any()
    assert "diverged" in (run.path / "report.md").read_text()


def test_a_text_that_is_too_short_for_a_point_is_told_to_the_study(
    searches: Searches, tmp_path: Path
) -> None:
    space = {**TINY, "context_length": {"choice": [16, 4000]}}
    run = run_search(searches.declare(space, search={"sampler": "grid"}), tmp_path)
    for record, trial in zip(run.load_records(), load_study(run).trials, strict=True):
        if record.parameters["context_length"] == 4000:
            assert (record.status, trial.state) == (Status.INFEASIBLE, TrialState.PRUNED)
            assert any(violation > 0 for violation in trial.constraints.values())
        else:
            assert (record.status, trial.state) == (Status.COMPLETE, TrialState.COMPLETE)
