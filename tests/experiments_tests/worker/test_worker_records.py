"""What a worker answers, whatever becomes of its processes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_jobs import ENDLESS, TINY, OnProgress, job_for, run, training_process

from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.record import Status
from experiments.worker import Worker


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("run") / "worker.log") as worker:
        yield worker


def kill_group(worker: Worker) -> None:
    assert worker.process is not None
    os.killpg(worker.process.pid, signal.SIGKILL)


def kill_server(worker: Worker) -> None:
    assert worker.process is not None
    worker.process.kill()


def test_a_training_becomes_a_record(worker: Worker, tokens: Tokens, tmp_path: Path) -> None:
    told: list[float] = []

    class Listening(Silent):
        def update(self, done: float, note: str = "") -> None:
            told.append(done)

    record = worker.run(job_for(tokens, tmp_path), Listening())
    assert (record.status, record.reason, record.steps) == (Status.COMPLETE, "", 4)
    assert record.device == "cpu"
    assert record.memory_bytes is not None
    assert record.memory_bytes > 0
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_devices_of_this_machine_are_told(worker: Worker) -> None:
    devices = worker.find_devices()
    assert str(os.cpu_count()) in devices["cpu"]


def test_an_exception_is_a_record_and_its_traceback_is_in_the_log(
    worker: Worker, tokens: Tokens, tmp_path: Path
) -> None:
    record = run(worker, job_for(tokens, tmp_path).model_copy(update={"tokens": tmp_path / "nowhere"}))
    assert record.status is Status.FAILED
    assert "nowhere" in record.reason
    log = worker.log.read_text()
    assert "Traceback" in log
    assert "open_tokens" in log


def test_want_of_memory_is_told_as_such(worker: Worker, tokens: Tokens, tmp_path: Path) -> None:
    config = {**TINY, "emb_dim": 2**26}  # 4 PiB for one matrix of the block
    record = run(worker, job_for(tokens, tmp_path, config=config))
    assert record.status is Status.OUT_OF_MEMORY
    assert "memory" in record.reason
    assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE


def test_a_killed_training_is_a_row_and_the_next_one_runs(
    worker: Worker, tokens: Tokens, tmp_path: Path
) -> None:
    kill = OnProgress(lambda: training_process(worker).kill())
    record = worker.run(job_for(tokens, tmp_path, steps=ENDLESS), kill)
    assert record.status is Status.OUT_OF_MEMORY
    assert "signal 9" in record.reason
    assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE


def test_a_crash_is_a_failure_with_its_signal(worker: Worker, tokens: Tokens, tmp_path: Path) -> None:
    crash = OnProgress(lambda: training_process(worker).send_signal(signal.SIGSEGV))
    record = worker.run(job_for(tokens, tmp_path, steps=ENDLESS), crash)
    assert record.status is Status.FAILED
    assert record.reason == "the process ended with signal 11; see worker.log"


def test_when_the_whole_worker_is_killed_the_next_job_gets_a_new_one(
    worker: Worker, tokens: Tokens, tmp_path: Path
) -> None:
    record = worker.run(job_for(tokens, tmp_path, steps=ENDLESS), OnProgress(lambda: kill_group(worker)))
    assert record.status is Status.OUT_OF_MEMORY
    assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE


def test_a_training_outlives_the_process_that_forked_it(
    worker: Worker, tokens: Tokens, tmp_path: Path
) -> None:
    record = worker.run(job_for(tokens, tmp_path, steps=200), OnProgress(lambda: kill_server(worker)))
    assert (record.status, record.steps) == (Status.COMPLETE, 200)


def test_a_death_between_two_jobs_is_not_put_down_to_the_next(
    worker: Worker, tokens: Tokens, tmp_path: Path
) -> None:
    assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE
    assert worker.process is not None
    dead = worker.process
    kill_server(worker)
    dead.wait()
    assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE


def test_more_sequences_at_once_need_more_memory(worker: Worker, tokens: Tokens, tmp_path: Path) -> None:
    peaks = []
    for batch_size in (4, 64, 512):
        record = run(worker, job_for(tokens, tmp_path, steps=2, batch_size=batch_size))
        assert record.memory_bytes is not None
        assert record.process_memory_bytes is not None
        assert 0 < record.memory_bytes < record.process_memory_bytes
        peaks.append(record.memory_bytes)
    small, middle, large = peaks
    logits = 512 * 16 * 256 * 4  # at least the logits and their gradient
    assert small < middle < large
    assert large > 2 * logits
    assert large < 20 * logits


def test_a_diverged_training_is_a_row_with_its_numbers(
    worker: Worker, tokens: Tokens, tmp_path: Path
) -> None:
    record = run(worker, job_for(tokens, tmp_path, steps=50, learning_rate=1e30))
    assert record.status is Status.DIVERGED
    assert record.steps is not None


@pytest.fixture
def python_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that every new interpreter imports from."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def test_stray_prints_go_to_the_log(python_path: Path, tokens: Tokens, tmp_path: Path) -> None:
    # Noise at the start of each interpreter, and in the training when it opens the corpus.
    (python_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def listen(event, arguments):\n"
        "    if event == 'open' and 'validation' in str(arguments[0]):\n"
        "        print('{\"exit\": 0}', 'noise of a training')\n"
        "sys.addaudithook(listen)\n"
        "print('noise of a start')\n"
        "print(0, flush=True)\n"
    )
    with Worker(tmp_path / "worker.log") as worker:
        assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE
        assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE
    assert (tmp_path / "worker.log").read_text().count("noise of a training") >= 2


def test_a_folder_of_the_same_name_does_not_stand_in_for_ours(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("experiments", "registry", "gpt_zoo"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong package')")
    monkeypatch.chdir(tmp_path)
    with Worker(tmp_path / "worker.log") as worker:
        assert run(worker, job_for(tokens, tmp_path)).status is Status.COMPLETE


def test_an_interpreter_without_torch_is_told(python_path: Path, tmp_path: Path) -> None:
    (python_path / "torch.py").write_text("raise ImportError('torch is broken here')")
    with (
        Worker(tmp_path / "worker.log") as worker,
        pytest.raises(RuntimeError, match=r"torch cannot be loaded; see .*worker\.log"),
    ):
        # Our packages stand first on the path, torch does not.
        worker.find_devices()
    assert "torch is broken here" in (tmp_path / "worker.log").read_text()


def test_half_a_message_is_passed_over(
    tokens: Tokens, tmp_path: Path, python_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The training says the beginning of a message and is killed before its end.
    (python_path / "sitecustomize.py").write_text(
        "import json, os, signal\n"
        "dumps = json.dumps\n"
        "def cut(value, *arguments, **options):\n"
        "    if isinstance(value, dict) and 'record' in value and value['record']['trial'] == 1:\n"
        "        class Half(str):\n"
        "            def __add__(self, end):\n"
        "                os.write(pipe(), self[:50].encode())\n"
        "                os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return Half(dumps(value, *arguments, **options))\n"
        "    return dumps(value, *arguments, **options)\n"
        "def pipe():\n"
        "    here = [fd for fd in range(3, 20) if is_pipe(fd)]\n"
        "    return here[0]\n"
        "def is_pipe(fd):\n"
        "    import stat\n"
        "    try:\n"
        "        return stat.S_ISFIFO(os.fstat(fd).st_mode)\n"
        "    except OSError:\n"
        "        return False\n"
        "json.dumps = cut\n"
    )
    with Worker(tmp_path / "worker.log") as worker:
        assert run(worker, job_for(tokens, tmp_path, number=1)).status is Status.OUT_OF_MEMORY
        assert run(worker, job_for(tokens, tmp_path, number=2)).status is Status.COMPLETE


def test_a_worker_that_was_never_asked_has_no_process(tmp_path: Path) -> None:
    with Worker(tmp_path / "worker.log") as worker:
        assert worker.process is None
    assert not (tmp_path / "worker.log").exists()
