"""Searches that are cut off, and go on."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
from optuna.trial import TrialState
from tiny_searches import (
    LIMIT,
    SPACE,
    Listening,
    Searches,
    assert_same,
    load_importances,
    load_study,
    trained,
)

from experiments.experiment import Experiment
from experiments.record import Status
from experiments.run_folder import RunFolder
from experiments.search import run_search
from experiments.search.samplers import build_sampler

ROOT = Path(__file__).parents[3]
TRIALS = 13  # ten of them random, before TPE begins to learn


def declare(searches: Searches, **search: Any) -> Experiment:
    space = {**SPACE, "drop_rate": 0.2}
    return searches.declare(
        space,
        constraints=[LIMIT],
        budget={"steps": 40},
        search={"trials": TRIALS, "sampler": "tpe", **search},
    )


@pytest.fixture(scope="module")
def whole(searches: Searches, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_search(declare(searches), tmp_path_factory.mktemp("whole"))


def test_tpe_searches_to_its_end(whole: RunFolder) -> None:
    rows = whole.load_records()
    assert len(trained(whole)) == TRIALS
    assert {record.status for record in rows} >= {Status.COMPLETE, Status.INFEASIBLE}
    study = load_study(whole)
    assert [trial.number for trial in study.trials] == [record.trial for record in rows]
    assert all(
        (trial.state is TrialState.COMPLETE) == (record.status in (Status.COMPLETE, Status.DUPLICATE))
        for trial, record in zip(study.trials, rows, strict=True)
    )
    importances = load_importances(whole)
    assert importances.keys() == {"validation_loss", "train_flops"}
    for shares in importances.values():
        assert shares.keys() <= {"emb_dim", "n_heads", "n_layers", "attention"} | {
            "attention[grouped_query].n_kv_heads"
        }
        assert sum(shares.values()) == pytest.approx(1)


SEARCH = """
import json, sys
from experiments.loading import load_experiment
from experiments.search import run_search
run_search(load_experiment(json.loads(sys.argv[1])), sys.argv[2])
"""


def search_until(experiment: Experiment, run: RunFolder, records: int, number: signal.Signals) -> int:
    """Search in another process until there are some records, then send it a signal; its exit code."""
    command = [sys.executable, "-c", SEARCH, json.dumps(experiment.to_data()), str(run.path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ}) as process:
        trials = run.path / "trials"
        while (
            process.poll() is None and len(list(trials.glob("*.json")) if trials.exists() else []) < records
        ):
            pass
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        code = process.wait(60)
        _, left = psutil.wait_procs(workers, timeout=30)
        assert not left
    return code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "records"), [(signal.SIGKILL, 4), (signal.SIGINT, 12)], ids=["killed", "interrupted"]
)
def test_a_search_that_was_cut_off_proposes_and_finds_what_it_would_have_found(
    searches: Searches, whole: RunFolder, tmp_path: Path, number: signal.Signals, records: int
) -> None:
    run = RunFolder(tmp_path / "run")
    # In the random trials of the beginning, and later, where TPE has something to learn from.
    assert search_until(declare(searches), run, records, number) != 0
    assert len(trained(run)) < TRIALS
    begun = load_study(run).get_trials(states=(TrialState.RUNNING,))
    assert len(begun) <= 1
    run_search(declare(searches), run.path)
    assert_same(run, whole)


def test_a_trial_that_knows_some_of_its_values_draws_the_others_as_before(
    searches: Searches, whole: RunFolder, tmp_path: Path
) -> None:
    # As a process leaves it that is killed between two suggestions.
    run = RunFolder(tmp_path / "run")
    study = optuna.create_study(
        storage=f"sqlite:///{tmp_path / 'cut.db'}", study_name="tiny", directions=["minimize", "minimize"]
    )
    first = load_study(whole).trials[0]
    study.sampler = build_sampler("tpe", 0, 0)
    trial = study.ask()
    trial.set_user_attr("run_folder", str(run.path))
    widths = first.distributions["emb_dim"]
    assert isinstance(widths, optuna.distributions.CategoricalDistribution)
    study.sampler = build_sampler("tpe", 0, 0, "emb_dim")
    assert trial.suggest_categorical("emb_dim", widths.choices) == first.params["emb_dim"]
    experiment = declare(searches, trials=1, storage=f"sqlite:///{tmp_path / 'cut.db'}")
    progress = Listening()
    run_search(experiment, run.path, progress)
    assert run.load_records()[0].parameters == first.params
    assert progress.messages == ["1 of 1 trials are trained"]


def test_a_trial_that_was_cut_off_while_it_was_told_is_told(
    searches: Searches, whole: RunFolder, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    shutil.copytree(whole.path, run.path)
    told = load_study(run).trials[-1]
    # Take back the last thing that is written of a trial, its state.
    with sqlite3.connect(run.study) as database:
        database.execute("UPDATE trials SET state = 'RUNNING' WHERE number = ?", (told.number,))
        database.execute("DELETE FROM trial_values WHERE trial_id = ?", (told._trial_id,))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        run_search(declare(searches), run.path)
    again = load_study(run).trials[-1]
    assert (again.number, again.state, again.values) == (told.number, told.state, told.values)
    assert again.constraints == told.constraints != {}


def test_another_seed_proposes_otherwise() -> None:
    proposals = set()
    for seed in range(3):
        study = optuna.create_study(sampler=build_sampler("random", seed, 0))
        proposals.add(study.ask().suggest_float("x", 0, 1))
    assert len(proposals) == 3


def test_the_trials_of_a_search_are_not_each_the_same() -> None:
    study = optuna.create_study()
    drawn = set()
    for number in range(20):
        study.sampler = build_sampler("tpe", 0, number, "x")
        drawn.add(study.ask().suggest_float("x", 0, 1))
    assert len(drawn) == 20
