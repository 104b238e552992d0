"""The folder of one run: what was asked, what came of it, and the tables and reports made from that.

experiment.yaml     the resolved experiment
environment.json    versions, hardware, git commit, corpus hash
tuning.json         what was measured of the device, where the training says `auto`
trials/*.json       one record a training, written once it has ended: the source of everything below
states/, weights/   trainings kept half-way, and the trained models where those are asked for
worker.log          what the training processes said on their standard error
study.db            Optuna's storage (searches)
importances.json    how much each searched value mattered (searches)
lessons.json        what each searched field did to the loss at equal training FLOPs (searches)
trials.parquet, trials.csv, curves.parquet, report.html, report.md
audit.html          what `gpt-zoo audit` found before training
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from experiments.record import TrialRecord

RUNS = Path("runs")
"""Where run folders lie unless another place is given, below the working folder."""
SWEEP = ".sweep.json"
"""Ends the name of what keeps a sweep of learning rates, beside the state of the training that it is for."""


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader or a crash sees the old content or the new, never a part.

    Raises:
        OSError: the disk is full, or the folder cannot be written; names the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp's files are for the owner alone
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}, while writing", str(path)) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside a file to write it anew: a crash leaves the old one or the new, never a part.

    For what is written by name, and may be too large to hold in memory; else `write_atomically`.

    Raises:
        OSError: the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    """What the user takes from the rights of new files; it can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, by their meaning."""

    path: Path

    @property
    def experiment(self) -> Path:
        """The resolved experiment, YAML."""
        return self.path / "experiment.yaml"

    @property
    def environment(self) -> Path:
        """Where it ran, JSON."""
        return self.path / "environment.json"

    @property
    def tuning(self) -> Path:
        """What its trainings are tuned by, JSON; see `experiments.tuning`."""
        return self.path / "tuning.json"

    @property
    def importances(self) -> Path:
        """Importance of each searched value for each objective, JSON: {objective: {key path: share}}."""
        return self.path / "importances.json"

    @property
    def lessons(self) -> Path:
        """What each searched field did to the loss at equal training FLOPs, JSON; see `lessons_table`."""
        return self.path / "lessons.json"

    @property
    def audit(self) -> Path:
        """The page of the audit before training, if there was one."""
        return self.path / "audit.html"

    @property
    def study(self) -> Path:
        """Optuna's SQLite file."""
        return self.path / "study.db"

    def record_path(self, trial: int, seed: int) -> Path:
        """Where the record of a trial with a seed is kept."""
        return self.path / "trials" / f"{trial:05d}-seed{seed}.json"

    def write_record(self, record: TrialRecord) -> None:
        """Keep a record, atomically."""
        # JSON has no NaN; a diverged loss is recorded as missing, with the status and reason beside it.
        write_atomically(self.record_path(record.trial, record.seed), record.model_dump_json(indent=1))

    def find_record(self, trial: int, seed: int) -> TrialRecord | None:
        """The record of a trial with a seed, if it has ended."""
        path = self.record_path(trial, seed)
        return TrialRecord.model_validate_json(path.read_text()) if path.exists() else None

    def load_records(self) -> list[TrialRecord]:
        """All records, in the order of trials and seeds."""
        paths = sorted((self.path / "trials").glob("*.json"))
        records = [TrialRecord.model_validate_json(path.read_text()) for path in paths]
        return sorted(records, key=lambda record: (record.trial, record.seed))

    def state_path(self, trial: int, seed: int) -> Path:
        """Where a training is kept half-way."""
        return self.path / "states" / f"{trial:05d}-seed{seed}.safetensors"

    def forget_state(self, trial: int, seed: int) -> None:
        """Remove what kept a training that has ended, and the sweep of its learning rate."""
        for path in (state := self.state_path(trial, seed), state.with_suffix(SWEEP)):
            path.unlink(missing_ok=True)

    def weights_path(self, trial: int, seed: int) -> Path:
        """The folder for trained weights."""
        return self.path / "weights" / f"{trial:05d}-seed{seed}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; the system lets go of it when the process ends, however it ends.

        Raises:
            ValueError: another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ValueError(
                f"another process is working in {self.path}; wait for it, or give another folder"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def has_begun(self) -> bool:
        """Whether anything was trained or proposed here, or was about to be."""
        return self.study.exists() or any((self.path / name).exists() for name in ("trials", "states"))

    def load_json(self, path: Path) -> dict[str, Any]:
        """A JSON object of this folder; empty where the file is missing."""
        return json.loads(path.read_text()) if path.exists() else {}
