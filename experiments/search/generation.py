"""Trials that are proposed together, before any of them is trained.

What a trial is proposed from are those of earlier generations as they ended, and those before it in its own
as they were proposed. It therefore does not matter which of them ends first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.study import Study
from optuna.trial import Trial

ATTRIBUTE = "generation"


@dataclass(frozen=True)
class Generation:
    """One generation of a study.

    Args:
        first: Number of its first trial, by which it is known.
        size: Trials that it has once all are proposed.
    """

    first: int
    size: int

    def mark(self, trial: Trial) -> None:
        """Let the study know that a trial is one of these."""
        trial.set_user_attr(ATTRIBUTE, [self.first, self.size])

    def lacks(self, study: Study) -> int:
        """Trials that are yet to be proposed."""
        mark = [self.first, self.size]
        marks = [trial.user_attrs.get(ATTRIBUTE) for trial in study.get_trials(deepcopy=False)]
        return self.size - marks.count(mark)


def find_generation(begun: Sequence[Trial]) -> Generation | None:
    """The generation of trials that were begun and not ended; None if a process ended before it said so."""
    for trial in begun:
        if mark := trial.user_attrs.get(ATTRIBUTE):
            return Generation(*mark)
    return None
