"""How a search is declared: who proposes, what stops a training, what ends the search, what confirms it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator
from pydantic_core import PydanticCustomError

from experiments.objectives import FINAL_LOSSES
from experiments.training.config import TrainingConfig
from gpt_zoo.config.base import Declared, did_you_mean

DEFAULT_TRIALS = 20
"""Trainings of a search that nothing else ends."""
NUISANCE = ("learning_rate", "weight_decay", "warmup_fraction")
"""Fields of a training that a search may choose: each architecture is judged at its best."""
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class StoppingConfig(Declared):
    """What stops a training before its end: at rungs, each a share of its budget, it is judged."""

    rule: Literal["front", "asha", "hyperband", "median", "wilcoxon"] = "front"
    """front stops what cannot reach the front: even an optimistic view of its final loss is not better than
    that of a variant which costs no more. The others are Optuna's, for a single objective: asynchronous
    successive halving, Hyperband, the median of those before, a Wilcoxon test against the best."""
    rungs: tuple[Share, ...] = Field(default=(0.25, 0.5), min_length=1)
    """Shares of the budget; at each the learning curve must have a point: see `training.evaluations`."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    """That a final loss is no lower than its optimistic view (front), or that a difference is no chance
    (wilcoxon)."""
    check: NonNegativeInt = 2
    """Stopped trainings, drawn by lot, that are trained to their end once the search is over: they tell how
    often stopping was a mistake."""

    @field_validator("rungs")
    @classmethod
    def _rising(cls, rungs: tuple[float, ...]) -> tuple[float, ...]:
        if list(rungs) != sorted(set(rungs)):
            raise ValueError(f"rungs must rise, got {', '.join(map(str, rungs))}")
        return rungs

    def explain_misfit(self, objectives: Sequence[str], training: TrainingConfig) -> str:
        """What keeps these objectives or this learning curve from being judged so; empty if nothing does."""
        points = training.evaluations
        if missed := [rung for rung in self.rungs if abs(rung * points - round(rung * points)) > 1e-9]:
            known = ", ".join(f"{point / points:g}" for point in range(1, points)) or "none"
            return (
                f"rung {missed[0]:g} is no point of the learning curve; with `evaluations: {points}` those "
                f"are {known}: choose among them, or evaluate more often"
            )
        if not set(FINAL_LOSSES) & set(objectives):
            return f"a training is judged by its loss; add one of {', '.join(FINAL_LOSSES)} to the objectives"
        if self.rule != "front" and len(objectives) > 1:
            return f"`{self.rule}` judges a single objective, got {', '.join(objectives)}; try `rule: front`"
        if "train_loss" in objectives:
            return "nothing foretells `train_loss`; use validation_loss as objective"
        return ""


class SearchConfig(Declared):
    """How a space is searched."""

    trials: PositiveInt | None = None
    """Trainings wanted; unless given, for a grid all, and 20 where nothing else ends the search. Points that
    are infeasible or known come on top."""
    flops: PositiveFloat | None = None
    """Training FLOPs after which nothing new is begun: of all trials, without confirmation and checks."""
    seconds: PositiveFloat | None = None
    """Seconds of trials after which nothing new is begun; those that run at the same time count once."""
    least_gain: float | None = Field(default=None, gt=0.0, lt=1.0)
    """The search ends when no proposal is expected to enlarge the hypervolume of the front by this share of
    it, three times in a row (cost_aware)."""
    sampler: Literal["auto", "cost_aware", "tpe", "nsga2", "nsga3", "gp", "random", "grid", "brute_force"] = (
        "auto"
    )
    """Who proposes: what improves the front most for its FLOPs, by costs that are known (cost_aware);
    Optuna's TPE, NSGA-II, NSGA-III, Gaussian process or random sampler; every point of the space once (grid,
    or Optuna's brute_force). auto is cost_aware where an objective is known before training, else tpe."""
    stopping: StoppingConfig | None = None
    """What stops a training before its end; None trains all to the end."""
    confirm: NonNegativeInt = 0
    """Fresh seeds with which members of the front are trained again, once the search is over, before they are
    called the front."""
    nuisance: dict[str, Any] = Field(default_factory=dict)
    """learning_rate, weight_decay or warmup_fraction of the training with a domain each, searched beside the
    architecture: each is judged at its best setting, so that the front is over architectures."""
    storage: str | None = None
    """Optuna storage URL; None keeps the study in the run folder."""

    @property
    def is_exhaustive(self) -> bool:
        """Whether every point of the space is tried once."""
        return self.sampler in ("grid", "brute_force")

    @field_validator("nuisance")
    @classmethod
    def _known_settings(cls, declared: dict[str, Any]) -> dict[str, Any]:
        if unknown := [name for name in declared if name not in NUISANCE]:
            raise ValueError(f"`{unknown[0]}` is no nuisance setting; {did_you_mean(unknown[0], NUISANCE)}")
        return declared

    @model_validator(mode="after")
    def _gain_is_expected(self) -> Self:
        if self.least_gain is not None and self.sampler not in ("auto", "cost_aware"):
            message = (
                f"only the sampler `cost_aware` tells what it expects to gain, `{self.sampler}` does not; "
                "leave `least_gain` out, or give `trials`, `flops` or `seconds`"
            )
            raise PydanticCustomError("gain", "{message}", {"message": message})
        return self
