"""What a rule is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from experiments.record import Purpose, Status, TrialRecord


@dataclass(frozen=True)
class Rung:
    """Where trainings are judged.

    Args:
        share: Of the budget.
        point: Of the learning curve, from 1.
    """

    share: float
    point: int


@dataclass(frozen=True)
class Case:
    """A trial that is judged.

    Args:
        trial: Its number.
        declared: What is known of it before training.
        records: Its trainings, a seed each, as far as the rung.
    """

    trial: int
    declared: TrialRecord
    records: Sequence[TrialRecord]


@dataclass(frozen=True)
class Stop:
    """That a training does not go on.

    Args:
        reason: For its record.
        predicted_loss, deviation, optimistic_loss: Of the forecast, where the rule makes one.
    """

    reason: str
    predicted_loss: float | None = None
    deviation: float | None = None
    optimistic_loss: float | None = None


class Rule(Protocol):
    """Judges trials by those before them; the same trials give the same answer, whatever was interrupted."""

    def judge(self, case: Case, rung: Rung, before: Sequence[Sequence[TrialRecord]]) -> Stop | None:
        """Whether a trial is stopped at a rung.

        Args:
            before: The records of each trial of earlier generations, by number; none of a refused one.
        """


def loss_at(records: Sequence[TrialRecord], point: int) -> float | None:
    """The mean over seeds of the validation loss at a point of the curve; None if one has none there."""
    reached = [record.curve[:point][-1:] for record in records]
    losses = [one.validation_loss for points in reached for one in points if one.validation_loss is not None]
    return fmean(losses) if records and len(losses) == len(records) else None


def is_complete(records: Sequence[TrialRecord]) -> bool:
    """Whether the search has trained a trial to its end, with all seeds."""
    return bool(records) and all(
        record.status is Status.COMPLETE and record.purpose is not Purpose.CONFIRM for record in records
    )
