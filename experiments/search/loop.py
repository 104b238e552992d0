"""Propose, train, tell, until enough is trained: one trial at a time, or a generation of them."""

import math
from statistics import fmean
from typing import Any

from optuna.study import Study
from optuna.trial import Trial, TrialState

from experiments.constraints import judge
from experiments.joint_space import JointSpace
from experiments.objectives import find_objective
from experiments.record import Purpose, Status, TrialRecord
from experiments.runner import Point, TrialRunner
from experiments.search.generation import Generation, find_generation
from experiments.search.grid import canonical
from experiments.search.ladder import Ladder
from experiments.search.limits import STEADY, find_limits
from experiments.search.proposer import Proposer
from experiments.search.study import FOLDER, STOPPED, find_purpose, is_owned_by
from experiments.search.suggest import suggest
from registry.domains import Domain
from registry.errors import DeclarationError
from registry.space import Assignment

FRUITLESS_PROPOSALS = 200
"""So many in a row that are infeasible or known already: the sampler finds nothing new."""


class SearchLoop:
    """One call of a search. What earlier calls have done is in the study and in the records.

    Args:
        runner: Trains, and keeps the records.
        study: Proposes, and is told the values.
        space: What is searched.
    """

    def __init__(self, runner: TrialRunner, study: Study, space: JointSpace) -> None:
        self.runner, self.study, self.space = runner, study, space
        self.config = runner.experiment.config
        self.proposer = Proposer(runner, study, space)
        self.ladder = Ladder(runner)
        self.limits = find_limits(self.config.search, space.size, runner.parallel)
        self.ended: dict[int, list[TrialRecord]] = {}
        self.trained: set[int] = set()
        self.tried: set[str] = set()
        self.fruitless = 0
        self.best: TrialRecord | None = None
        for record in runner.run.load_records():
            self._count(record)

    def run(self) -> None:
        """Go on until a limit is reached, or no new point is found."""
        measured = self.limits.share(0, []) is not None
        with self.runner.progress.task("search", 1.0 if measured else None) as task:
            while True:
                task.update(self.limits.share(len(self.trained), self.records) or 0.0, self._note())
                # What was begun is ended first, even where enough is trained by now.
                begun = self._interrupted()
                if not begun and (reason := self._why_stop()):
                    self.runner.progress.message(reason)
                    return
                self._run_trials(self._complete(begun))

    def run_next(self) -> None:
        """Train what was begun or is enqueued, or else what is proposed next."""
        self._run_trials(self._interrupted() or [self._propose(None)])

    def _why_stop(self) -> str:
        """Why the search is at its end, or nothing."""
        gains = [] if self.limits.least_gain is None else self.proposer.gains_left(STEADY)
        if reason := self.limits.reached(len(self.trained), self.records, gains):
            return reason
        done = self.limits.count(len(self.trained))
        if self.proposer.left(self.tried) == 0:
            which = "of the space" if self.proposer.points is None else "that can be trained"
            return f"every one of the {self.proposer.most} points {which} has been tried; {done}"
        if self.fruitless >= FRUITLESS_PROPOSALS:
            advice = "loosen the constraints or widen the space"
            return f"the last {self.fruitless} proposals were infeasible or known already; {done}: {advice}"
        return ""

    @property
    def records(self) -> list[TrialRecord]:
        """Of the search: without confirmations and checks."""
        return [record for number in sorted(self.ended) for record in self.ended[number]]

    def _interrupted(self) -> list[tuple[Trial, Assignment]]:
        """The trials of this folder which a process began and did not end, with their points."""
        shared = self.config.search.storage is not None
        begun = []
        for frozen in self.study.get_trials(states=(TrialState.RUNNING,)):
            if not shared or is_owned_by(frozen, self.runner.run.path):
                self.proposer.prepare(frozen.number)
                trial = Trial(self.study, frozen._trial_id)
                begun.append((trial, self._sample(trial)))
        return begun

    def _complete(self, begun: list[tuple[Trial, Assignment]]) -> list[tuple[Trial, Assignment]]:
        """The trials that were begun, with as many new ones as are proposed together."""
        if self.runner.parallel == 1:
            return begun or [self._propose(None)]
        trials = [trial for trial, _ in begun]
        generation = find_generation(trials)
        if generation is None:
            first = trials[0].number if trials else len(self.study.get_trials(deepcopy=False))
            generation = Generation(first, self._most_together())
        for trial in trials:
            generation.mark(trial)
        return begun + [self._propose(generation) for _ in range(generation.lacks(self.study))]

    def _most_together(self) -> int:
        """Trials of the next generation: no more than are wanted, or than the space has left."""
        left = self.runner.parallel
        if self.limits.trials is not None:
            left = self.limits.trials - len(self.trained)
        if (untried := self.proposer.left(self.tried)) is not None:
            left = min(left, untried)
        return max(1, min(self.runner.parallel, left))

    def _propose(self, generation: Generation | None) -> tuple[Trial, Assignment]:
        self.proposer.prepare_new()
        trial = self.study.ask()
        trial.set_user_attr(FOLDER, str(self.runner.run.path.absolute()))
        if generation is not None:
            generation.mark(trial)
        return trial, self._sample(trial)

    def _sample(self, trial: Trial) -> Assignment:
        def propose(name: str, domain: Domain) -> Any:
            # What is known of a trial that was interrupted is not drawn again, which would shift the rest.
            self.proposer.prepare(trial.number, name)
            return suggest(trial, name, domain)

        return self.space.sample(propose)

    def _run_trials(self, trials: list[tuple[Trial, Assignment]]) -> None:
        refused: dict[int, list[TrialRecord]] = {}
        points: list[Point] = []
        for trial, chosen in trials:
            name = f"{self.space.name}-{trial.number}"
            try:
                config = self.space.variant(chosen.parameters, name).config
            except DeclarationError as error:
                rules = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
                refused[trial.number] = [
                    self.runner.refuse(trial.number, name, chosen.config, seed, chosen.parameters, rules)
                    for seed in self.config.seeds
                ]
            else:
                note, purpose = self.proposer.note(trial), find_purpose(trial)
                points += [
                    Point(trial.number, name, config, seed, chosen.parameters, note, purpose)
                    for seed in self.config.seeds
                ]
        first = min(trial.number for trial, _ in trials)
        records = self.ladder.train(points, [self.ended.get(number, []) for number in range(first)])
        for trial, _ in trials:  # in their order, whichever ended first
            own = [record for record in records if record.trial == trial.number]
            own = refused.get(trial.number, own)
            self._tell(trial, own)
            for record in own:
                self._count(record)

    def _tell(self, trial: Trial, records: list[TrialRecord]) -> None:
        """End a trial of the study, which learns limits from infeasible ones and values from the rest."""
        statuses = {record.status for record in records}
        violations: dict[str, float] = {}
        for record in records:
            for text, violation in judge(self.runner.experiment.constraints, record).violations.items():
                violations[text] = max(violation, violations.get(text, violation))
        if Status.INFEASIBLE in statuses and not any(excess > 0 for excess in violations.values()):
            violations["valid config"] = 1.0  # a rule of the schema, or of the data
        known = self.study.get_trials(deepcopy=False)[trial.number].constraints
        for text, violation in violations.items():
            if text not in known:  # else a process was cut off while it told
                trial.set_constraint(text, violation)
        self.proposer.prepare_to_tell()
        if Status.STOPPED in statuses and (expected := self._expect(records)) is not None:
            trial.set_user_attr(STOPPED, expected)
        if statuses <= {Status.COMPLETE, Status.DUPLICATE}:
            self.study.tell(trial, [_mean(records, name) for name in self.config.objectives])
        elif statuses & {Status.INFEASIBLE, Status.STOPPED}:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, state=TrialState.FAIL)

    def _expect(self, records: list[TrialRecord]) -> list[float] | None:
        """The loss that a stopped trial would have had, as its objective, its deviation, the share spent."""
        stopped = [record for record in records if record.status is Status.STOPPED]
        losses = [record.predicted_loss for record in stopped if record.predicted_loss is not None]
        deviations = [record.predicted_loss_deviation or 0.0 for record in stopped]
        if not losses:
            return None
        loss, deviation = fmean(losses), fmean(deviations)
        if "validation_loss" not in self.config.objectives:  # a multiple of it, or its exponential
            known = next(record for record in self.records if record.status is Status.COMPLETE)
            assert known.validation_loss is not None
            if "perplexity" in self.config.objectives:
                loss, deviation = math.exp(loss), math.exp(loss) * deviation
            else:
                factor = (known.bits_per_byte or 0.0) / known.validation_loss
                loss, deviation = factor * loss, factor * deviation
        return [loss, deviation, stopped[0].stopped_at or 0.0]

    def _count(self, record: TrialRecord) -> None:
        if record.purpose is not Purpose.SEARCH:
            return
        self.ended.setdefault(record.trial, []).append(record)
        self.tried.add(canonical(record.parameters))
        if record.was_trained:
            self.trained.add(record.trial)
            self.fruitless = 0
        elif record.seed == self.config.seeds[0]:  # once a trial
            self.fruitless += 1
        if record.status is Status.COMPLETE and (
            self.best is None or self._rank(record) < self._rank(self.best)
        ):
            self.best = record

    def _rank(self, record: TrialRecord) -> float:
        """In the first objective; lower is better."""
        objective = find_objective(self.config.objectives[0])
        value: float = getattr(record, objective.name)
        return value if objective.direction == "minimize" else -value

    def _note(self) -> str:
        done = self.limits.count(len(self.trained))
        if self.best is None:
            return done
        name = self.config.objectives[0]
        return f"{done}; best {name} {getattr(self.best, name):.4g} (trial {self.best.trial})"


def _mean(records: list[TrialRecord], name: str) -> float:
    values: list[Any] = [getattr(record, name) for record in records]
    return fmean(values)
