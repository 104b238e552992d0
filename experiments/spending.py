"""What the trainings of a run have spent, nothing counted twice."""

from collections.abc import Iterable

from experiments.record import TrialRecord


def flops_spent(records: Iterable[TrialRecord]) -> float:
    """Training FLOPs of all records, sweeps of learning rates included.

    Those of a stopped training are part of the one that took it up.
    """
    trained = [record for record in records if record.was_trained]
    taken_up = {(record.continues, record.seed) for record in trained}
    trainings = sum(one.train_flops or 0 for one in trained if (one.trial, one.seed) not in taken_up)
    return float(trainings + sum(record.sweep_flops or 0 for record in trained))


def seconds_spent(records: Iterable[TrialRecord]) -> float:
    """Seconds of all trials, one after another; each counts what its own processes took."""
    return sum(record.wall_seconds or 0.0 for record in records if record.was_trained)
