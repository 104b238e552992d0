"""Optuna's pruners as rules, for a single objective."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

import optuna
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.trial import Trial, TrialState

from experiments.record import Status, TrialRecord
from experiments.search.stopping.rule import Case, Rung, Stop, is_complete, loss_at
from experiments.search_config import StoppingConfig

FEWEST_BEFORE = 5
"""Trials without which a median is none."""


def build_pruner(stopping: StoppingConfig, points: int) -> BasePruner:
    """The pruner of a rule; its resource is a point of the learning curve.

    Sources: Li et al. 2018, "A System for Massively Parallel Hyperparameter Tuning", arXiv:1810.05934 (asha);
        Li et al. 2016, "Hyperband", arXiv:1603.06560.

    Args:
        points: Of a whole learning curve.
    """
    rungs = [round(rung * points) for rung in stopping.rungs]
    # Of the trials at a rung as many go on as the next one is farther: all rungs then cost alike.
    factor = max(2, round(min(above / below for below, above in pairwise([*rungs, points]))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match stopping.rule:
            case "asha":
                return SuccessiveHalvingPruner(min_resource=rungs[0], reduction_factor=factor)
            case "hyperband":
                return HyperbandPruner(min_resource=rungs[0], max_resource=points, reduction_factor=factor)
            case "wilcoxon":
                return WilcoxonPruner(p_threshold=1 - stopping.confidence)
    return MedianPruner(n_startup_trials=FEWEST_BEFORE)


class PrunerRule:
    """Asks a pruner, in a study of its own in which the trials before are told again.

    The search's own study lies in a storage where each report is a commit. This one lives in memory, and a
    search that is continued tells it all again.

    Args:
        name: Of the rule.
        pruner: See `build_pruner`.
        study_name: That of the search: Hyperband draws its brackets from it.
    """

    def __init__(self, name: str, pruner: BasePruner, study_name: str) -> None:
        self.name, self.pruner, self.study_name = name, pruner, study_name
        self.trials: list[Trial] = []
        self.told = 0
        self._begin()

    def judge(self, case: Case, rung: Rung, before: Sequence[Sequence[TrialRecord]]) -> Stop | None:
        """Whether a trial is stopped at a rung. See `Rule`."""
        judged = range(self.told, min(len(self.trials), len(before)))
        if not all(is_complete(before[number]) or _is_stopped(before[number]) for number in judged):
            self._begin()  # a trial failed after it was judged: it must not count as one that came so far
        for number in range(self.told, len(before)):
            self._tell(number, before[number])
        self.told = max(self.told, len(before))
        if not self._report(case.trial, case.records, rung.point):
            return None
        loss = loss_at(case.records, rung.point)
        return Stop(
            f"stopped at {rung.share:.0%} of its budget by the rule {self.name}, at a loss of {loss:.4f}"
        )

    def _begin(self) -> None:
        self.study = optuna.create_study(study_name=self.study_name, pruner=self.pruner, direction="minimize")
        self.trials.clear()
        self.told = 0

    def _trial(self, number: int) -> Trial:
        while len(self.trials) <= number:
            self.trials.append(self.study.ask())
        return self.trials[number]

    def _report(self, number: int, records: Sequence[TrialRecord], point: int) -> bool:
        """Tell the curve up to a point; whether the pruner would stop the trial there."""
        trial, answer = self._trial(number), False
        known = self.study.get_trials(deepcopy=False)[number].intermediate_values
        for step in range(1, point + 1):
            loss = loss_at(records, step)
            if loss is None:
                return False
            if step not in known:
                trial.report(loss, step)
                answer = trial.should_prune()
        return answer

    def _tell(self, number: int, records: Sequence[TrialRecord]) -> None:
        """Let the study know how a trial ended."""
        trial = self._trial(number)
        if is_complete(records):
            self._report(number, records, len(records[0].curve))
            self.study.tell(trial, loss_at(records, len(records[0].curve)))
        elif _is_stopped(records):
            self._report(number, records, min(len(record.curve) for record in records))
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, state=TrialState.FAIL)


def _is_stopped(records: Sequence[TrialRecord]) -> bool:
    return bool(records) and all(record.status is Status.STOPPED for record in records)
