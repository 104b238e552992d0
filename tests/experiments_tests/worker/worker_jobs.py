"""Jobs for real workers, and a look at their processes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.record import Status, TrialRecord
from experiments.trial_job import TrialJob
from experiments.worker import Worker

TEXT_WORDS = ["the", "sea", "a", "bird", "sings", "falls", "rises", "over", "under", "grey", "sky", "again"]
TINY = {"vocab_size": 256, "context_length": 16, "emb_dim": 16, "n_heads": 2, "n_layers": 1}
ENDLESS = 10**7
"""Steps of a training that is still running when the test ends it."""


def job_for(tokens: Tokens, folder: Path, steps: int = 4, number: int = 0, **training: Any) -> TrialJob:
    return TrialJob.model_validate(
        {
            "record": {
                "trial": number,
                "variant": "tiny",
                "seed": 0,
                "status": Status.FAILED,
                "config": training.pop("config", TINY),
                "config_hash": "",
            },
            "training": {"threads": 1, "batch_size": 4, "evaluations": 2, **training},
            "budget": {"steps": steps},
            "tokens": tokens.folder,
            "state": folder / "states" / f"{number}.safetensors",
            "weights": folder / "weights",
        }
    )


class OnProgress(Silent):
    """A task that does something once the training has begun."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act: Callable[[], None] | None = act

    def update(self, done: float, note: str = "") -> None:
        if self.act is not None and done > 0:
            act, self.act = self.act, None
            act()


def run(worker: Worker, job: TrialJob) -> TrialRecord:
    return worker.run(job, Silent())


def training_process(worker: Worker) -> psutil.Process:
    """The process that was forked for the current request."""
    assert worker.process is not None
    (child,) = psutil.Process(worker.process.pid).children()
    return child


def wait_until(happened: Callable[[], Any], what: str, seconds: float = 30.0) -> None:
    """Look again and again, with patience for a busy machine."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
