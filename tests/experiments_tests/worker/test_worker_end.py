"""How the processes of a worker end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from worker_jobs import ENDLESS, TINY, OnProgress, has_ended, job_for, run, training_process, wait_until

from experiments.data.tokens import Tokens
from experiments.record import Status
from experiments.worker import Worker

ROOT = Path(__file__).parents[3]


def test_ended_processes_leave_nothing_behind(tokens: Tokens, tmp_path: Path) -> None:
    with Worker(tmp_path / "worker.log"):
        files = psutil.Process().num_fds()
    with Worker(tmp_path / "worker.log") as worker:
        run(worker, job_for(tokens, tmp_path))
        assert worker.process is not None
        pids = [worker.process.pid]
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        run(worker, job_for(tokens, tmp_path))
        pids.append(worker.process.pid)
    assert all(has_ended(pid) for pid in pids)
    assert psutil.Process().num_fds() == files
    assert "Traceback" not in (tmp_path / "worker.log").read_text()


@pytest.mark.slow
def test_a_training_that_its_worker_left_goes_on_as_if_nothing_had_happened(
    tokens: Tokens, tmp_path: Path
) -> None:
    config = {**TINY, "drop_rate": 0.3}
    whole = job_for(tokens, tmp_path, steps=400, number=1, config=config, evaluations=10)
    cut = job_for(tokens, tmp_path, steps=400, number=2, config=config, evaluations=10)
    pids: list[int] = []

    def note_and_interrupt() -> None:
        assert worker.process is not None
        pids.extend((worker.process.pid, training_process(worker).pid))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Worker(tmp_path / "worker.log") as worker:
        worker.run(cut, OnProgress(note_and_interrupt))  # somewhere in a step or an evaluation
    assert all(has_ended(pid) for pid in pids)
    assert cut.state.exists()
    assert "Traceback" not in (tmp_path / "worker.log").read_text()
    with Worker(tmp_path / "worker.log") as worker:
        expected, record = run(worker, whole), run(worker, cut)
    assert expected.status is record.status is Status.COMPLETE
    assert record.validation_loss == expected.validation_loss
    assert [(point.step, point.train_loss, point.validation_loss) for point in record.curve] == [
        (point.step, point.train_loss, point.validation_loss) for point in expected.curve
    ]


PARENT = """
import json, sys
from pathlib import Path
import psutil
from experiments.progress import Silent
from experiments.trial_job import TrialJob
from experiments.worker import Worker

class Telling(Silent):
    def update(self, done, note=""):
        server = psutil.Process(worker.process.pid)
        print(json.dumps([server.pid, *(child.pid for child in server.children())]), flush=True)

with Worker(Path(sys.argv[1])) as worker:
    worker.run(TrialJob.model_validate_json(sys.stdin.read()), Telling())
"""


def test_nothing_outlives_a_parent_that_was_killed(tokens: Tokens, tmp_path: Path) -> None:
    job = job_for(tokens, tmp_path, steps=ENDLESS)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "worker.log")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(job.model_dump_json())
        parent.stdin.close()
        pids = json.loads(parent.stdout.readline())
        parent.kill()
    assert len(pids) == 2
    wait_until(lambda: all(has_ended(pid) for pid in pids), "the worker and its training end")
    assert job.state.exists()
