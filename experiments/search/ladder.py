"""Trainings that climb from rung to rung of their budget, and are stopped where a rule says so."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.experiment import ExperimentConfig
from experiments.record import Purpose, Status, TrialRecord
from experiments.runner import Point, TrialRunner
from experiments.search.stopping.front import FrontRule
from experiments.search.stopping.pruners import PrunerRule, build_pruner
from experiments.search.stopping.rule import Case, Rule, Rung, Stop


class Ladder:
    """Trains the points of trials that are proposed together.

    Between rungs a training lies in its state, so that all trials of a generation are judged by the same ones
    before them, whichever ends first; and what is stopped can go on later.

    Args:
        runner: Trains.
    """

    def __init__(self, runner: TrialRunner) -> None:
        self.runner = runner
        config = runner.experiment.config
        stopping, points = config.search.stopping, config.training.evaluations
        self.rule = None if stopping is None else _build_rule(config)
        shares = () if stopping is None else stopping.rungs
        self.rungs = [Rung(share, round(share * points)) for share in shares]

    def train(self, points: Sequence[Point], before: Sequence[Sequence[TrialRecord]]) -> list[TrialRecord]:
        """The records of points, as they ended or were stopped.

        Args:
            before: The records of each trial of earlier generations, by number.
        """
        ended: list[TrialRecord] = []
        climbing = [point for point in points if point.purpose is Purpose.SEARCH]
        beyond = [point for point in points if point.purpose is not Purpose.SEARCH]
        for rung in self.rungs:
            due = [point for point in climbing if self.runner.share_done(point) < rung.share]
            records = self.runner.run_trials(due, pause=rung.point)
            paused = [record for record in records if _is_paused(record)]
            ended += [record for record in records if not _is_paused(record)]
            stopped = self._stop(due, paused, rung, before)
            ended += stopped
            over = {(record.trial, record.seed) for record in ended}
            climbing = [point for point in climbing if (point.trial, point.seed) not in over]
        return ended + self.runner.run_trials([*climbing, *beyond])

    def _stop(
        self,
        points: Sequence[Point],
        paused: Sequence[TrialRecord],
        rung: Rung,
        before: Sequence[Sequence[TrialRecord]],
    ) -> list[TrialRecord]:
        """The trainings that do not go on from a rung, with their records kept."""
        stopped = []
        for trial in sorted({record.trial for record in paused}):
            own = [record for record in paused if record.trial == trial]
            point = next(point for point in points if point.trial == trial)
            assert self.rule is not None
            stop = self.rule.judge(Case(trial, self.runner.declare(point), own), rung, before)
            if stop is not None:
                stopped += [_as_stopped(record, stop, rung) for record in own]
        for record in stopped:
            self.runner.stop(record)
        return stopped


def _build_rule(config: ExperimentConfig) -> Rule:
    stopping = config.search.stopping
    assert stopping is not None
    if stopping.rule == "front":
        return FrontRule(config.objectives, stopping.confidence)
    pruner = build_pruner(stopping, config.training.evaluations)
    return PrunerRule(stopping.rule, pruner, config.name)


def _is_paused(record: TrialRecord) -> bool:
    """Whether a training waits for its judgement: one that was stopped knows where."""
    return record.status is Status.STOPPED and record.stopped_at is None


def _as_stopped(record: TrialRecord, stop: Stop, rung: Rung) -> TrialRecord:
    told = {
        "reason": stop.reason,
        "stopped_at": rung.share,
        "predicted_loss": stop.predicted_loss,
        "predicted_loss_deviation": stop.deviation,
        "optimistic_loss": stop.optimistic_loss,
    }
    return record.model_copy(update=told)
