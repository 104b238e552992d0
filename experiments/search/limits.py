"""When a search is at its end: enough is trained, or spent, or nothing is left to gain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from experiments.record import TrialRecord
from experiments.search_config import DEFAULT_TRIALS, SearchConfig
from experiments.spending import flops_spent, seconds_spent
from experiments.units import format_flops, format_seconds

STEADY = 3
"""So many proposals in a row must expect no gain: after one training the next may look better."""


@dataclass(frozen=True)
class Limits:
    """The limits that a search was given.

    Args:
        trials: Trainings; None for no limit of them.
        flops: Of training.
        seconds: Of trials, those at once counted once.
        least_gain: Share of the hypervolume that a proposal must be expected to add.
        parallel: Trainings at once.
    """

    trials: int | None
    flops: float | None
    seconds: float | None
    least_gain: float | None
    parallel: int

    def reached(self, trained: int, records: Sequence[TrialRecord], gains: Sequence[float]) -> str:
        """Why the search is at its end, or nothing.

        Args:
            trained: Trials that were trained.
            records: Of the search.
            gains: What was left to gain at each of the last proposals; only `least_gain` asks for them.
        """
        if self.trials is not None and trained >= self.trials:
            return self.count(trained)
        if self.flops is not None and (spent := flops_spent(records)) >= self.flops:
            return f"{format_flops(spent)} of {format_flops(self.flops)} are spent; {self.count(trained)}"
        if self.seconds is not None and (took := self._seconds(records)) >= self.seconds:
            return f"{format_seconds(took)} of {format_seconds(self.seconds)} are over; {self.count(trained)}"
        if self.least_gain is not None and len(gains) == STEADY and max(gains) < self.least_gain:
            return (
                f"the last {STEADY} proposals expected to enlarge the front by {max(gains):.2%} of its "
                f"hypervolume or less, below {self.least_gain:.2%}; {self.count(trained)}"
            )
        return ""

    def count(self, trained: int) -> str:
        """How many trials are trained, in words."""
        wanted = f"{trained} of {self.trials}" if self.trials is not None else str(trained)
        return f"{wanted} trials are trained"

    def share(self, trained: int, records: Sequence[TrialRecord]) -> float | None:
        """How much of the search is done, by the limit that is nearest; None if only the gain limits it."""
        shares = list(self._shares(trained, records))
        return min(1.0, max(shares)) if shares else None

    def _shares(self, trained: int, records: Sequence[TrialRecord]) -> Iterator[float]:
        if self.trials is not None:
            yield trained / self.trials
        if self.flops is not None:
            yield flops_spent(records) / self.flops
        if self.seconds is not None:
            yield self._seconds(records) / self.seconds

    def _seconds(self, records: Sequence[TrialRecord]) -> float:
        return seconds_spent(records) / self.parallel


def find_limits(search: SearchConfig, size: int | None, parallel: int) -> Limits:
    """The limits of a search: those declared, and a number of trials where nothing else would end it.

    Args:
        size: Of the space; None if it is endless.
        parallel: Trainings at once.
    """
    trials = search.trials or (size if search.is_exhaustive else None)
    if trials is None and search.flops is None and search.seconds is None and search.least_gain is None:
        trials = DEFAULT_TRIALS
    return Limits(trials, search.flops, search.seconds, search.least_gain, parallel)
