"""Propose, train, tell, until enough is trained: one trial at a time, or a generation of them."""

from statistics import fmean
from typing import Any

from optuna.study import Study
from optuna.trial import Trial, TrialState

from experiments.constraints import judge
from experiments.experiment import DEFAULT_TRIALS
from experiments.objectives import find_objective
from experiments.record import Status, TrialRecord
from experiments.runner import Point, TrialRunner
from experiments.search.generation import Generation, find_generation
from experiments.search.grid import canonical
from experiments.search.proposer import Proposer
from experiments.search.study import FOLDER, is_owned_by
from experiments.search.suggest import suggest
from registry.domains import Domain
from registry.errors import DeclarationError
from registry.space import Assignment, SearchSpace

FRUITLESS_PROPOSALS = 200
"""So many in a row that are infeasible or known already: the sampler finds nothing new."""


class SearchLoop:
    """One call of a search. What earlier calls have done is in the study and in the records.

    Args:
        runner: Trains, and keeps the records.
        study: Proposes, and is told the values.
        space: What is searched.
    """

    def __init__(self, runner: TrialRunner, study: Study, space: SearchSpace) -> None:
        self.runner, self.study, self.space = runner, study, space
        self.config = runner.experiment.config
        self.proposer = Proposer(runner, study, space)
        search = self.config.search
        self.wanted = search.trials or (search.is_exhaustive and space.size) or DEFAULT_TRIALS
        self.trained: set[int] = set()
        self.tried: set[str] = set()
        self.fruitless = 0
        self.best: TrialRecord | None = None
        for record in runner.run.load_records():
            self._count(record)

    def run(self) -> None:
        """Go on until as many trials as wanted are trained, or no new point is found."""
        with self.runner.progress.task("trials", self.wanted) as task:
            while True:
                task.update(min(len(self.trained), self.wanted), self._note())
                # What was begun is ended first, even where enough is trained by now.
                begun = self._interrupted()
                if not begun and (reason := self._why_stop()):
                    self.runner.progress.message(reason)
                    return
                self._run_trials(self._complete(begun))

    def _why_stop(self) -> str:
        """Why the search is at its end, or nothing."""
        done = f"{len(self.trained)} of {self.wanted} trials are trained"
        if len(self.trained) >= self.wanted:
            return done
        if self.proposer.left(self.tried) == 0:
            which = "of the space" if self.proposer.points is None else "that can be trained"
            return f"every one of the {self.proposer.most} points {which} has been tried; {done}"
        if self.fruitless >= FRUITLESS_PROPOSALS:
            advice = "loosen the constraints or widen the space"
            return f"the last {self.fruitless} proposals were infeasible or known already; {done}: {advice}"
        return ""

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
        left = self.wanted - len(self.trained)
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
                note = self.proposer.note(trial)
                points += [
                    Point(trial.number, name, config, seed, chosen.parameters, note)
                    for seed in self.config.seeds
                ]
        records = self.runner.run_trials(points)
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
        if statuses <= {Status.COMPLETE, Status.DUPLICATE}:
            self.study.tell(trial, [_mean(records, name) for name in self.config.objectives])
        elif Status.INFEASIBLE in statuses:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, state=TrialState.FAIL)

    def _count(self, record: TrialRecord) -> None:
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
        if self.best is None:
            return ""
        name = self.config.objectives[0]
        return f"best {name} {getattr(self.best, name):.4g} (trial {self.best.trial})"


def _mean(records: list[TrialRecord], name: str) -> float:
    values: list[Any] = [getattr(record, name) for record in records]
    return fmean(values)
