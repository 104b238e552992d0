"""Trainings that were stopped before their end: kept with their state, and taken up where wanted again."""

import shutil
from dataclasses import dataclass, field

from experiments.record import TrialRecord
from experiments.run_folder import RunFolder, replacing
from experiments.settings import identify_settings


@dataclass
class StoppedTrainings:
    """The stopped trainings of a run, by config, settings and seed.

    Args:
        run: Whose states they are.
    """

    run: RunFolder
    records: dict[tuple[str, int], TrialRecord] = field(default_factory=dict)

    def remember(self, record: TrialRecord) -> None:
        """Know of one; it may have taken up another, whose state is then of no more use."""
        self.records[_key(record)] = record
        if record.continues is not None:
            self.run.forget_state(record.continues, record.seed)

    def find(self, record: TrialRecord) -> TrialRecord | None:
        """The one that a declared training goes on from, if a state of it is there."""
        stopped = self.records.get(_key(record))
        if stopped is None or stopped.trial == record.trial:
            return None
        states = (self.run.state_path(one.trial, one.seed) for one in (record, stopped))
        return stopped if any(state.exists() for state in states) else None

    def take_up(self, record: TrialRecord) -> TrialRecord:
        """A declared training, which goes on from the state of a stopped one if there is one."""
        stopped = self.find(record)
        if stopped is None:
            return record
        own = self.run.state_path(record.trial, record.seed)
        if not own.exists():
            with replacing(own) as partial:
                shutil.copyfile(self.run.state_path(stopped.trial, stopped.seed), partial)
        return record.model_copy(update={"continues": stopped.trial})

    def forget_state(self, record: TrialRecord) -> None:
        """Let go of the state of a training that has ended."""
        for trial in (record.trial, record.continues):
            if trial is not None:
                self.run.forget_state(trial, record.seed)


def _key(record: TrialRecord) -> tuple[str, int]:
    return record.config_hash + identify_settings(record.parameters), record.seed


def add_up(before: TrialRecord, record: TrialRecord) -> TrialRecord:
    """A row with what the first part of its training took, which another process did."""
    if record.wall_seconds is None:
        return record
    peaks = {
        name: max(getattr(before, name) or 0, getattr(record, name) or 0) or None
        for name in ("memory_bytes", "process_memory_bytes")
    }
    times = {
        "build_seconds": before.build_seconds,
        "wall_seconds": record.wall_seconds + (before.wall_seconds or 0.0),
    }
    return record.model_copy(update={**peaks, **times})
