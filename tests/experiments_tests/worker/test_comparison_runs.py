"""Comparisons of tiny variants, trained in their run folders."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from worker_jobs import TINY, wait_until

from experiments.comparison import run_comparison
from experiments.experiment import Experiment
from experiments.fitting import fit_to_experiment
from experiments.loading import load_experiment
from experiments.progress import Silent
from experiments.record import Status, TrialRecord
from experiments.run_folder import RunFolder
from gpt_zoo.config.gpt import GPTConfig

ROOT = Path(__file__).parents[3]


def declare(text: Path, variants: list[dict[str, Any]] | None = None, **changes: Any) -> Experiment:
    data = {
        "variants": variants or [{"name": "small", **TINY}],
        "data": {"corpus": {"kind": "text", "paths": [str(text)]}, "validation_bytes": 1500},
        "training": {"threads": 1, "batch_size": 4, "evaluations": 2, "learning_rate": 1e-5},
        "budget": {"steps": 4},
    }
    for key, value in changes.items():
        data[key] = {**data[key], **value} if key in ("data", "training") else value  # type: ignore[dict-item]
    return load_experiment(data)


VARIANTS = [
    {"name": "small", **TINY},
    {"name": "wide", **TINY, "emb_dim": 32},
    {"name": "small-again", **TINY},
    {"name": "long", **TINY, "context_length": 5000},
    {"name": "heavy", **TINY, "emb_dim": 1024},
]
LIMITS = {"constraints": ["memory_bytes <= 64MiB", "params <= 1e9"], "seeds": [0, 3]}


@pytest.fixture(scope="module")
def compared(text: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_comparison(declare(text, VARIANTS, **LIMITS), tmp_path_factory.mktemp("runs") / "compared")


@pytest.fixture
def folder(compared: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the finished comparison, to go on with."""
    shutil.copytree(compared.path, tmp_path / "copy", copy_function=shutil.copy2)
    return RunFolder(tmp_path / "copy")


def by_name(run: RunFolder, seed: int = 0) -> dict[str, TrialRecord]:
    return {record.variant: record for record in run.load_records() if record.seed == seed}


def written(run: RunFolder) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted((run.path / "trials").iterdir())
    }


def test_there_is_a_row_for_each_variant_and_seed(compared: RunFolder) -> None:
    rows = [(record.trial, record.variant, record.seed) for record in compared.load_records()]
    names = [variant["name"] for variant in VARIANTS]
    assert rows == [(trial, name, seed) for trial, name in enumerate(names) for seed in (0, 3)]


def test_each_seed_gives_its_own_loss(compared: RunFolder) -> None:
    first, second = by_name(compared, 0), by_name(compared, 3)
    for name in ("small", "wide"):
        assert first[name].status is second[name].status is Status.COMPLETE
        assert first[name].validation_loss != second[name].validation_loss


def test_the_same_config_is_answered_from_its_record(compared: RunFolder) -> None:
    for seed in (0, 3):
        rows = by_name(compared, seed)
        twin = rows["small-again"]
        assert (twin.status, twin.reason) == (Status.DUPLICATE, "the same config and seed as trial 0")
        assert twin.validation_loss == rows["small"].validation_loss
        assert twin.curve == rows["small"].curve
        assert not twin.was_trained


def test_a_context_beyond_the_text_is_a_row_that_says_so(compared: RunFolder) -> None:
    row = by_name(compared)["long"]
    assert (row.status, row.steps) == (Status.INFEASIBLE, None)
    assert "a context of 5000 needs 5001 tokens" in row.reason


def test_a_limit_of_memory_is_broken_without_training_by_weights_alone(compared: RunFolder) -> None:
    row = by_name(compared)["heavy"]
    assert (row.status, row.steps, row.memory_bytes) == (Status.INFEASIBLE, None, None)
    assert row.params is not None
    assert f"memory_bytes is at least {16 * row.params:,}" in row.reason  # 16 bytes a weight, with AdamW
    assert not row.was_trained


def test_tables_reports_and_the_place_are_written(compared: RunFolder) -> None:
    for name in ("trials.csv", "trials.parquet", "curves.parquet", "report.html", "report.md"):
        assert (compared.path / name).stat().st_size > 0
    environment = compared.load_json(compared.environment)
    assert environment["devices"]["cpu"]
    assert environment["packages"]["torch"] == torch.__version__
    assert not list(compared.path.glob("states/*"))


def test_what_is_missing_is_trained_and_nothing_else(text: Path, folder: RunFolder) -> None:
    lost = by_name(folder)["wide"]
    folder.record_path(1, 0).unlink()
    before = written(folder)
    more = {**LIMITS, "seeds": [0, 3, 7]}
    run_comparison(declare(text, VARIANTS, **more, training={"checkpoint_seconds": 7.0}), folder.path)
    after = written(folder)
    assert {name: after[name] for name in before} == before
    new = {"00001-seed0.json", *(f"{trial:05d}-seed7.json" for trial in range(5))}
    assert after.keys() - before.keys() == new
    assert by_name(folder)["wide"].validation_loss == lost.validation_loss
    assert by_name(folder, 7)["small-again"].validation_loss == by_name(folder, 7)["small"].validation_loss


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"budget": {"steps": 5}}, "budget.steps"),
        ({"training": {"learning_rate": 2e-5}}, "training.learning_rate"),
        ({"constraints": []}, "constraints"),
        ({"variants": VARIANTS[:2]}, "variants"),
    ],
)
def test_the_folder_of_another_experiment_is_refused(
    text: Path, compared: RunFolder, changes: dict[str, Any], key: str
) -> None:
    before = written(compared), compared.experiment.read_bytes()
    variants = changes.pop("variants", VARIANTS)
    with pytest.raises(ValueError, match="holds another experiment") as error:
        run_comparison(declare(text, variants, **{**LIMITS, **changes}), compared.path)
    assert f"{key} differ" in str(error.value)
    assert before == (written(compared), compared.experiment.read_bytes())


def test_a_text_that_has_changed_is_refused(text: Path, folder: RunFolder, tmp_path: Path) -> None:
    ours = tmp_path / "text"
    shutil.copytree(text, ours)
    run = RunFolder(tmp_path / "run")
    experiment = declare(ours)
    shutil.copytree(folder.path, run.path)
    run.experiment.unlink()  # the same text in another place
    for path in (run.path / "trials").iterdir():
        if path.name != "00000-seed0.json":
            path.unlink()
    (ours / "0.txt").write_text("other words\n")
    with pytest.raises(ValueError, match="the text of `data` has changed"):
        run_comparison(experiment, run.path)


def test_a_limit_on_a_measured_number_is_broken_after_training(text: Path, tmp_path: Path) -> None:
    limits = ["validation_loss <= 0.5", "tokens_per_second >= 1"]
    run = run_comparison(declare(text, constraints=limits), tmp_path / "run")
    (row,) = run.load_records()
    assert (row.status, row.steps) == (Status.INFEASIBLE, 4)
    assert row.reason == f"validation_loss <= 0.5 is broken: validation_loss is {row.validation_loss:,.6g}"
    assert row.was_trained
    assert (run.path / "report.html").exists()


def test_a_mistake_does_not_claim_the_folder(text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match="nowhere"):
        run_comparison(declare(tmp_path / "nowhere"), folder)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"device `cuda` is not there; usable are: auto, cpu"):
            run_comparison(declare(text, training={"device": "cuda"}), folder)
    assert not RunFolder(folder).experiment.exists()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A run folder in which another process works."""
    folder = tmp_path / "held"
    hold = (
        "import sys, time; from pathlib import Path; from experiments.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked(): print('held', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield folder
        process.kill()


def test_two_processes_do_not_work_in_one_folder(text: Path, held: Path) -> None:
    with pytest.raises(ValueError, match="another process is working in"):
        run_comparison(declare(text), held)


def test_a_folder_is_free_as_soon_as_it_is_left_however_it_is_left(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    kept: list[BaseException] = []  # as a notebook keeps the last one, with all that it refers to
    for kind in (ValueError, KeyboardInterrupt):
        try:
            with run.locked():
                raise kind
        except kind as error:
            kept.append(error)
    with run.locked():
        pass
    assert len(kept) == 2


def test_a_search_is_no_comparison(text: Path, tmp_path: Path) -> None:
    experiment = load_experiment(
        {"space": {**TINY, "n_layers": {"int": {"low": 1, "high": 2}}}, "budget": {"steps": 1}}
    )
    with pytest.raises(ValueError, match="it is a search, not a comparison"):
        run_comparison(experiment, tmp_path)


def test_the_dropout_of_the_experiment_is_that_of_every_layer() -> None:
    overrides = {"layers": [{"drop_rate": 0.2}, {}], "single_layers": [{"at": -1, "drop_rate": 0.3}]}
    config = GPTConfig.model_validate({**TINY, "n_layers": 3, "drop_rate": 0.1, **overrides})
    own, given = fit_to_experiment(config, 256, None), fit_to_experiment(config, 256, 0.0)
    assert [own.layer(index).drop_rate for index in range(3)] == [0.2, 0.1, 0.3]
    assert [given.layer(index).drop_rate for index in range(3)] == [0.0, 0.0, 0.0]
    assert fit_to_experiment(config, 300, None).vocab_size == 300


class InterruptedInTraining(Silent):
    """Progress of a user who presses Ctrl-C once a training has begun."""

    def update(self, done: float, note: str = "") -> None:
        if "loss" in note:
            raise KeyboardInterrupt


def test_the_state_of_a_training_is_there_until_its_record_is(text: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    experiment = declare(text, budget={"steps": 600})
    with pytest.raises(KeyboardInterrupt):
        run_comparison(experiment, run.path, InterruptedInTraining())
    assert run.state_path(0, 0).exists()
    assert run.load_records() == []
    run_comparison(experiment, run.path)
    (record,) = run.load_records()
    assert (record.status, record.steps) == (Status.COMPLETE, 600)
    assert not list((run.path / "states").iterdir())


COMPARE = """
import json, sys
from experiments.comparison import run_comparison
from experiments.loading import load_experiment
run_comparison(load_experiment(json.loads(sys.argv[1])), sys.argv[2])
"""


def test_a_comparison_that_was_killed_goes_on_where_it_was(
    text: Path, compared: RunFolder, tmp_path: Path
) -> None:
    experiment = declare(text, VARIANTS, **LIMITS)
    run = RunFolder(tmp_path / "run")
    command = [sys.executable, "-c", COMPARE, json.dumps(experiment.to_data()), str(run.path)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        wait_until(lambda: list((run.path / "trials").glob("*.json")), "the first record", 120)
        process.kill()
    before = written(run)
    run_comparison(experiment, run.path)
    after = written(run)
    assert {name: after[name] for name in before} == before
    losses = [(record.trial, record.seed, record.validation_loss) for record in run.load_records()]
    expected = [(record.trial, record.seed, record.validation_loss) for record in compared.load_records()]
    assert losses == expected
