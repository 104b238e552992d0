"""Comparisons that train several variants at once."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from worker_jobs import TINY, wait_until

from experiments import parallel
from experiments.comparison import run_comparison
from experiments.experiment import Experiment
from experiments.free_memory import HostMemory
from experiments.launch import Need
from experiments.loading import load_experiment
from experiments.parallel import settle_parallel, settle_threads
from experiments.pool import Pool
from experiments.record import Status, TrialRecord
from experiments.run_folder import RunFolder
from experiments.training.config import TrainingConfig

ROOT = Path(__file__).parents[3]
HEADS = {"kind": "grouped_query", "n_kv_heads": TINY["n_heads"]}
VARIANTS = [
    {"name": "slow", **TINY, "emb_dim": 64, "n_layers": 2},
    {"name": "small", **TINY},
    {"name": "slow-again", **TINY, "emb_dim": 64, "n_layers": 2, "attention": HEADS},
    {"name": "long", **TINY, "context_length": 5000},
]


SETTLED = {"precision": "float32", "attention_backend": "written_out", "compile": "off", "loss_chunks": 1}
"""Nothing that the machine would have to be measured for."""


def declare(text: Path, variants: list[dict[str, Any]] = VARIANTS, **changes: Any) -> Experiment:
    training = {"threads": 1, "batch_size": 4, "evaluations": 2, "device": "cpu", **SETTLED}
    return load_experiment(
        {
            "variants": variants,
            "data": {"corpus": {"kind": "text", "paths": [str(text)]}, "validation_bytes": 1500},
            "budget": {"steps": 60},
            "seeds": [0, 3],
            **changes,
            "training": {**training, **changes.get("training", {})},
        }
    )


def outcomes(run: RunFolder) -> list[tuple[Any, ...]]:
    """What records say, without what no two runs share: times, and peaks of memory."""
    return [
        (
            *(record.trial, record.variant, record.seed, record.status, record.reason, record.steps),
            *(record.train_loss, record.validation_loss, record.bits_per_byte, record.config_hash),
            [(point.step, point.train_loss, point.validation_loss) for point in record.curve],
        )
        for record in run.load_records()
    ]


@pytest.fixture(scope="module")
def one_by_one(text: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_comparison(declare(text), tmp_path_factory.mktemp("one") / "run")


def test_several_at_once_give_what_one_by_one_gives(
    text: Path, one_by_one: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[str, float, float]] = []
    train = Pool.train

    def listen(pool: Pool, *arguments: Any) -> TrialRecord:
        begun = time.monotonic()
        record = train(pool, *arguments)
        trained.append((record.variant, begun, time.monotonic()))
        return record

    monkeypatch.setattr(Pool, "train", listen)
    run = run_comparison(declare(text, parallel=2), tmp_path / "run")
    assert outcomes(run) == outcomes(one_by_one)
    # One model in two declarations is trained once for each seed, also where both are asked for at once.
    assert sorted(name for name, _, _ in trained) == ["slow", "slow", "small", "small"]
    assert any(one[1] < other[1] < one[2] for one in trained for other in trained if one is not other), (
        "no two trainings overlapped"
    )
    assert not list((run.path / "states").glob("*"))
    assert run.load_json(run.environment)["parallel"] == 2


COMPARE = """
import json, sys
from experiments.comparison import run_comparison
from experiments.loading import load_experiment
run_comparison(load_experiment(json.loads(sys.argv[1])), sys.argv[2])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda it: it.name)
def test_what_was_cut_off_leaves_no_process_and_goes_on(
    text: Path, tmp_path: Path, number: signal.Signals
) -> None:
    variants = [{"name": f"wide-{width}", **TINY, "emb_dim": width} for width in (32, 48, 64)]
    experiment = declare(text, variants, parallel=2, budget={"steps": 900}, seeds=[0])
    run = RunFolder(tmp_path / "run")
    command = [sys.executable, "-c", COMPARE, json.dumps(experiment.to_data()), str(run.path)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:

        def forks() -> list[psutil.Process]:
            found: list[psutil.Process] = []
            for server in psutil.Process(process.pid).children():
                with suppress(psutil.NoSuchProcess):  # git, which was asked for the commit
                    found += server.children()
            return found

        wait_until(lambda: len(forks()) == 2, "two train at once", 60)
        time.sleep(0.7)  # into the steps
        left = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        assert process.wait(60) != 0
        _, alive = psutil.wait_procs(left, timeout=30)
        assert not alive
    cut = len(run.load_records())
    assert cut < len(variants)
    assert len(list((run.path / "states").glob("*.safetensors"))) >= 1
    run_comparison(experiment, run.path)
    whole = run_comparison(experiment, tmp_path / "whole")
    assert outcomes(run) == outcomes(whole)
    assert all(record.status is Status.COMPLETE for record in run.load_records())


def test_a_model_that_no_machine_can_train_is_a_row_at_once_and_the_rest_trains(
    text: Path, tmp_path: Path
) -> None:
    large = {"n_layers": 36, "emb_dim": 1280, "n_heads": 20, "context_length": 512}
    variants = [{"name": "giant", **TINY, **large}, {"name": "small", **TINY}]
    experiment = declare(
        text, variants, parallel=2, seeds=[0], training={"batch_size": 1024}, budget={"steps": 1}
    )
    giant, small = run_comparison(experiment, tmp_path / "run").load_records()
    assert giant.status is Status.OUT_OF_MEMORY, giant.reason
    assert (giant.steps, giant.memory_bytes) == (None, None)
    assert giant.least_memory_bytes is not None
    assert giant.least_memory_bytes > psutil.virtual_memory().total
    assert giant.reason.startswith("needs at least ")
    assert "so it was not trained; try training.batch_size=" in giant.reason
    assert small.status is Status.COMPLETE


def test_free_memory_of_this_machine_is_told() -> None:
    memory = HostMemory()
    assert 0 < memory.free_bytes() <= memory.total_bytes <= psutil.virtual_memory().total
    needs = [Need("one", 7, 0, lambda: 3), Need("other", 5, 0, lambda: 8)]
    assert memory.outstanding_bytes(needs, 0) == 4  # who took more than was foreseen pays for nobody


def test_threads_are_shared_unless_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "12")
    threads = [settle_threads(TrainingConfig(), parallel).threads for parallel in (1, 2, 5, 20)]
    assert threads == [None, 6, 2, 1]
    assert settle_threads(TrainingConfig(threads=3), 2).threads == 3


def test_auto_is_several_of_small_models(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "allowed_cores", lambda: 6)
    auto = declare(text, parallel="auto", training={"threads": 2})
    assert settle_parallel(auto, "cpu", None) == 3
    assert settle_parallel(auto, "cuda", None) == 4
    assert settle_parallel(auto, "cpu", 2) == 2  # as it was when the run began
    assert settle_parallel(declare(text, parallel=5), "cpu", None) == 5
    wide = {"name": "wide", **TINY, "emb_dim": 1024}
    assert settle_parallel(declare(text, [wide], parallel="auto"), "cpu", None) == 1
    few = declare(text, [VARIANTS[1]], parallel="auto", seeds=[0])
    assert settle_parallel(few, "cpu", None) == 1
    space = {"space": {**TINY, "n_layers": {"int": {"low": 1, "high": 1200}}}, "budget": {"steps": 1}}
    assert settle_parallel(load_experiment({**space, "parallel": "auto"}), "cpu", None) == 1
    space["space"] = {**TINY, "n_layers": {"int": {"low": 1, "high": 4}}}
    assert settle_parallel(load_experiment({**space, "parallel": "auto"}), "cpu", None) == 6
