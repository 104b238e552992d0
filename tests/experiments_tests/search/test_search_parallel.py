"""Searches that train several trials at once."""

import signal
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from test_search_resume import search_until
from tiny_searches import LIMIT, SPACE, TINY, Searches, assert_same, load_study, points, trained

from experiments.experiment import Experiment
from experiments.record import Status
from experiments.run_folder import RunFolder
from experiments.search import run_search

SETTLED = {"precision": "float32", "attention_backend": "written_out", "compile": "off", "loss_chunks": 1}
TRIALS = 13  # ten of them random, before TPE begins to learn


def declare(searches: Searches, **changes: Any) -> Experiment:
    return searches.declare(
        {**SPACE, "drop_rate": 0.2},
        constraints=[LIMIT],
        budget={"steps": 40},
        search={"trials": TRIALS, "sampler": "tpe"},
        parallel=3,
        training=SETTLED,
        **changes,
    )


@pytest.fixture(scope="module")
def whole(searches: Searches, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_search(declare(searches), tmp_path_factory.mktemp("whole"))


def generations(run: RunFolder) -> list[list[int]]:
    return [trial.user_attrs["generation"] for trial in load_study(run).trials]


def test_as_many_are_trained_as_are_wanted_in_generations(whole: RunFolder) -> None:
    assert len(trained(whole)) == TRIALS
    marks = generations(whole)
    for first, size in {tuple(mark) for mark in marks}:
        assert [mark == [first, size] for mark in marks[first : first + size]] == [True] * size
        # No more are proposed together than are wanted.
        before = {record.trial for record in trained(whole) if record.trial < first}
        assert size == min(3, TRIALS - len(before))
    assert len(marks) == len(load_study(whole).trials)
    assert all(trial.state.is_finished() for trial in load_study(whole).trials)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "records"), [(signal.SIGKILL, 4), (signal.SIGINT, 12)], ids=["killed", "interrupted"]
)
def test_a_search_that_was_cut_off_proposes_and_finds_what_it_would_have_found(
    searches: Searches, whole: RunFolder, tmp_path: Path, number: signal.Signals, records: int
) -> None:
    run = RunFolder(tmp_path / "run")
    assert search_until(declare(searches), run, records, number) != 0
    assert len(trained(run)) < TRIALS
    assert len(load_study(run).get_trials(states=(TrialState.RUNNING,))) <= 3
    run_search(declare(searches), run.path)
    assert_same(run, whole)
    assert generations(run) == generations(whole)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_generation_that_was_cut_off_while_it_was_proposed_is_completed(
    searches: Searches, whole: RunFolder, tmp_path: Path, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.search.loop import SearchLoop

    run, propose, proposed = RunFolder(tmp_path / "run"), SearchLoop._propose, []

    def cut_off(loop: SearchLoop, generation: Any) -> Any:
        if len(proposed) == 3 + left:
            raise KeyboardInterrupt
        proposed.append(generation)
        return propose(loop, generation)

    with monkeypatch.context() as patched:
        patched.setattr(SearchLoop, "_propose", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run_search(declare(searches), run.path)
    running = load_study(run).get_trials(states=(TrialState.RUNNING,))
    assert [trial.number for trial in running] == list(range(3, 3 + left))
    if left == 1:  # or even before the study knew to which generation it belongs
        trial = running[0]
        load_study(run)._storage.set_trial_user_attr(trial._trial_id, "generation", None)
    run_search(declare(searches), run.path)
    assert points(run) == points(whole)
    assert generations(run) == generations(whole)


def test_one_point_that_is_proposed_twice_at_once_is_trained_once(searches: Searches, tmp_path: Path) -> None:
    # With as many heads as key/value heads, the two kinds of attention are one model.
    heads = [{"kind": "multi_head"}, {"kind": "grouped_query", "n_kv_heads": 2}]
    experiment = searches.declare(
        {**TINY, "attention": {"choice": heads}},
        search={"sampler": "grid"},
        seeds=[0, 5],
        parallel=4,
        training=SETTLED,
    )
    run = run_search(experiment, tmp_path / "run")
    rows = run.load_records()
    assert [(row.trial, row.seed, row.status) for row in rows] == [
        (0, 0, Status.COMPLETE),
        (0, 5, Status.COMPLETE),
        (1, 0, Status.DUPLICATE),
        (1, 5, Status.DUPLICATE),
    ]
    assert [row.validation_loss for row in rows[:2]] == [row.validation_loss for row in rows[2:]]
    assert rows[2].reason == "the same model, declared otherwise, and seed as trial 0"
    assert generations(run) == [[0, 2], [0, 2]]
