"""The sampler, as Optuna knows one."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from experiments.failures import first_line
from experiments.search.cost_aware.choose import Choice, Chooser, Known, Stopped
from experiments.search.cost_aware.points import SearchPoints, as_cost
from experiments.search.study import STOPPED
from experiments.search.suggest import distribution_of
from registry.domains import Domain

PROPOSAL = "cost_aware"
"""Attribute of a trial: the `point` that was chosen; the `gain` that is expected of it, and the most that was
`left` to gain; a `note` of what went wrong. One attribute, since a storage takes milliseconds for each."""


class CostAwareSampler(BaseSampler):
    """Proposes the candidate whose training is expected to improve the front most for its FLOPs.

    Costs are known and never modelled; a candidate is valid, keeps all limits that are known before training,
    and is proposed once. What a trial is proposed from are the trials before it: those that have ended, and
    those that are being trained, which are believed to turn out as predicted. A proposal therefore depends on
    the study and on `seed` alone, and a search that is continued proposes what it would have proposed.

    Args:
        points: The candidates.
        domains: Of the space, by name.
        objectives: Names, in the order of the study's values.
        seed: Of what is drawn by lot.
    """

    def __init__(
        self, points: SearchPoints, domains: dict[str, Domain], objectives: tuple[str, ...], seed: int
    ) -> None:
        self.points, self.domains, self.objectives, self.seed = points, domains, objectives, seed
        self.chooser = Chooser(points.candidates)
        self._proposed: dict[int, dict[str, Any]] = {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The domains that the proposed point asks for."""
        return {name: distribution_of(self.domains[name]) for name in self._point(study, trial)}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The proposed point."""
        return self._point(study, trial)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value, once all candidates are taken."""
        sampler = RandomSampler(seed=int(self._generator(trial).integers(2**31)))
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def note(self, study: Study, trial_id: int) -> str:
        """What went wrong when a trial was proposed, or nothing."""
        proposed = self._proposed.get(trial_id)
        if proposed is None:
            proposed = study._storage.get_trial(trial_id).system_attrs.get(PROPOSAL, {})
        return str(proposed.get("note", ""))

    def _point(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        """What is proposed for a trial: decided once, and kept with it."""
        if "fixed_params" in trial.system_attrs:  # somebody has enqueued this trial
            return {}
        if trial._trial_id not in self._proposed:
            proposed = trial.system_attrs.get(PROPOSAL)
            if proposed is None:
                proposed = self._propose(study, trial)
                study._storage.set_trial_system_attr(trial._trial_id, PROPOSAL, proposed)
            self._proposed = {trial._trial_id: proposed}  # of this trial alone: it is asked for several times
        point: dict[str, Any] = self._proposed[trial._trial_id]["point"]
        return point

    def _propose(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        choice, note = self._choose(self._known(study, trial), trial)
        proposed: dict[str, Any] = {"point": {}}
        if choice is not None:
            proposed["point"] = dict(self.points.parameters[choice.row])
            if choice.gain is not None:
                proposed |= {"gain": choice.gain, "left": choice.left}
        return proposed | ({"note": note} if note else {})

    def _choose(self, known: Known, trial: FrozenTrial) -> tuple[Choice | None, str]:
        """A candidate; a random one with the reason, where the model of the losses fails."""
        try:
            return self.chooser.choose(known, self._generator(trial)), ""
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            free = np.setdiff1d(np.arange(len(self.chooser.candidates)), sorted(known.taken))
            row = int(self._generator(trial).choice(free))
            reason = f"proposed at random: the losses could not be modelled: {first_line(error)}"
            return Choice(row, None), reason

    def _known(self, study: Study, trial: FrozenTrial) -> Known:
        """What the trials before this one tell."""
        found: dict[int, list[float]] = {}
        stopped: dict[int, list[float]] = {}
        pending: list[int] = []
        taken: set[int] = set()
        for other in study.get_trials(deepcopy=False):
            point = other.system_attrs.get(PROPOSAL, {}).get("point", other.params)
            if other.number == trial.number or (row := self.points.find(point)) is None:
                continue
            stopped.pop(row, None)  # what became of it later counts
            if other.state is TrialState.COMPLETE:
                found.setdefault(row, other.values)
            elif other.state is TrialState.RUNNING:
                pending.append(row)
            elif STOPPED in other.user_attrs:
                stopped[row] = other.user_attrs[STOPPED]
            taken.add(row)
        values = np.array(list(found.values()), dtype=float).reshape(len(found), len(self.objectives))
        column = {name: values[:, index] for index, name in enumerate(self.objectives)}
        measured = [as_cost(column[one.name], one) for one in self.points.measured]
        return Known(
            list(found),
            as_cost(column[self.points.loss.name], self.points.loss),
            np.column_stack([np.zeros((len(found), 0)), *measured]),
            pending,
            frozenset(taken - stopped.keys()),
            Stopped(list(stopped), *np.array(list(stopped.values()), dtype=float).reshape(-1, 3).T),
        )

    def gains_left(self, study: Study, count: int) -> list[float]:
        """The most that was left to gain, as a share of the hypervolume found, at each of the last proposals.

        Args:
            count: Of the proposals; those before anything could be predicted are left out.
        """
        told = [one.system_attrs.get(PROPOSAL, {}) for one in study.get_trials(deepcopy=False)]
        return [one["left"] for one in told if one.get("left") is not None][-count:]

    def _generator(self, trial: FrozenTrial) -> np.random.Generator:
        digest = hashlib.blake2b(f"{self.seed} {trial.number}".encode(), digest_size=8).digest()
        return np.random.default_rng(int.from_bytes(digest))
