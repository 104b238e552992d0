"""Who proposes the points of one search, and of how many there is a choice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import Trial

from experiments.joint_space import JointSpace
from experiments.objectives import find_objective
from experiments.point_table import VIOLATION, PointTable, build_point_table
from experiments.runner import TrialRunner
from experiments.search.grid import grid_points
from experiments.search.samplers import build_sampler
from experiments.units import plural

if TYPE_CHECKING:
    from collections.abc import Set

    from experiments.search.cost_aware.points import SearchPoints
    from experiments.search.cost_aware.sampler import CostAwareSampler

MOST_CANDIDATES = 20_000
"""Points that are costed to choose among, in about 6 s; of a larger space so many are drawn by lot."""
MOST_EXAMINED = 2_000
"""The same where they are not chosen among, to see whether any can be trained."""


class Proposer:
    """Sets the sampler of a study before each proposal.

    Args:
        runner: Of the search.
        study: That is to propose.
        space: What is searched.

    Raises:
        ValueError: no point can be trained, or there is nothing that training would tell.
    """

    def __init__(self, runner: TrialRunner, study: Study, space: JointSpace) -> None:
        self.study, self.space = study, space
        self.experiment = runner.experiment
        self.seed = self.experiment.config.seeds[0]
        self.name = _settle(runner)
        is_aware = self.name == "cost_aware"
        if self.experiment.config.search.least_gain is not None and not is_aware:
            raise ValueError(
                "`least_gain` asks what a proposal is expected to gain, which only the sampler cost_aware "
                f"tells; these objectives are searched by {self.name}: give `trials`, `flops` or `seconds`"
            )
        table = build_point_table(
            self.experiment,
            MOST_CANDIDATES if is_aware else MOST_EXAMINED,
            self.seed,
            runner.tokens.vocab_size,
            runner.tokens.has_windows,
        )
        if not table.trainable.any():
            message = _explain_none(table)
            if is_aware or not table.sampled:
                raise ValueError(message)
            runner.progress.message(message)
        self.points: SearchPoints | None = None
        self.aware: CostAwareSampler | None = None
        if is_aware:  # which loads SciPy
            from experiments.search.cost_aware.points import find_points
            from experiments.search.cost_aware.sampler import CostAwareSampler

            self.points = find_points(self.experiment, table)
            objectives = self.experiment.config.objectives
            self.aware = CostAwareSampler(self.points, space.domains(), objectives, self.seed)
        self.grid = grid_points(space, self.seed, study) if self.name == "grid" else None
        self.most = space.size if self.points is None or table.sampled else len(self.points.candidates)
        """Points that can be tried; None if there is no end of them."""

    def prepare(self, trial: int, parameter: str = "") -> None:
        """Let the study propose as it would have in a search that was never interrupted."""
        self.study.sampler = self.aware or build_sampler(self.name, self.seed, trial, parameter)

    def prepare_new(self) -> None:
        """The same, before a trial is begun."""
        if self.grid is not None and (point := next(self.grid, None)) is not None:
            self.study.enqueue_trial(point)
        self.prepare(len(self.study.get_trials(deepcopy=False)))

    def prepare_to_tell(self) -> None:
        """Let the study be told how a trial ended."""
        if self.name == "brute_force":  # once all is tried, it stops the study, which only `optimize` allows
            self.study.sampler = RandomSampler(seed=self.seed)

    def note(self, trial: Trial) -> str:
        """What there is to know of how a trial was proposed."""
        return "" if self.aware is None else self.aware.note(self.study, trial._trial_id)

    def gains_left(self, count: int) -> list[float]:
        """What was left to gain at each of the last proposals, where the sampler tells."""
        return [] if self.aware is None else self.aware.gains_left(self.study, count)

    def left(self, tried: Set[str]) -> int | None:
        """Points that are not tried yet; None if there is no end of them.

        Args:
            tried: The parameters of those that are, as canonical text.
        """
        if self.most is None:
            return None
        if self.points is None:
            return self.most - len(tried)
        return self.most - len(self.points.places.keys() & tried)


def _settle(runner: TrialRunner) -> str:
    """The sampler that is asked for, or that `auto` means."""
    config = runner.experiment.config
    if config.search.sampler != "auto":
        return config.search.sampler
    timed = config.budget.seconds is not None
    known = [find_objective(name).is_known(timed) for name in config.objectives]
    return "cost_aware" if any(known) and not all(known) else "tpe"


def _explain_none(table: PointTable) -> str:
    """Why no point can be trained, with what most of them break."""
    broken = Counter(rule for rules in table.rules.values() for rule in rules)
    limits = [str(name) for name in table.table if str(name).startswith(VIOLATION)]
    for name in limits:
        broken[name.removeprefix(VIOLATION)] = int((table.table[name] > 0).sum())
    number = len(table.table)
    told = "; ".join(f"{count} break `{rule}`" for rule, count in broken.most_common(3) if count)
    which = "no point of the space"
    if table.sampled:
        which = f"none of {plural(number, 'point')} drawn from the space"
    return f"{which} can be trained: {told}; loosen the constraints or widen the space"
