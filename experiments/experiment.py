"""An experiment: which variants, on which data, for how much, judged by what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from experiments.constraints import Constraint, parse_constraint
from experiments.data.config import DataConfig
from experiments.joint_space import JointSpace
from experiments.matching import Comparands, MatchConfig, check_outcome, find_target, wanted_vocabulary
from experiments.objectives import DEFAULT_OBJECTIVES, find_objective
from experiments.search_config import SearchConfig
from experiments.settings import parse_settings
from experiments.training.config import BudgetConfig, TrainingConfig
from gpt_zoo.config.base import Declared, problem
from registry.document import Document, marks_within
from registry.domains import Domain
from registry.errors import DeclarationError, Problem, find_mark, problem_at, problems_of
from registry.space import SearchSpace, resolve_space
from registry.variant import Variant, resolve_variant

LARGEST_GRID = 100_000
"""Points that a grid puts in order."""


class ExperimentConfig(Declared):
    """The file of an experiment: `variants` makes it a comparison, `space` a search."""

    name: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")
    """Of the run folder; the stem of the file unless given."""
    description: str = ""
    variants: tuple[str | dict[str, Any], ...] | None = None
    """Catalog names, files, or variants declared here, mostly with `extends`."""
    space: dict[str, Any] | None = None
    """A variant whose values may be domains."""
    match: MatchConfig | None = None
    """Adjust the variants of a comparison to equal cost, before they are trained."""
    data: DataConfig = DataConfig()
    training: TrainingConfig = TrainingConfig()
    budget: BudgetConfig
    objectives: tuple[str, ...] = Field(default=DEFAULT_OBJECTIVES, min_length=1)
    """Numbers of the trial record; several make a front."""
    constraints: tuple[str, ...] = ()
    """Such as `params <= 2e6` or `memory_bytes <= 512MiB`."""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field(default=(0,), min_length=1)
    """Each variant is trained once with each; the first also seeds the sampler."""
    search: SearchConfig = SearchConfig()
    parallel: PositiveInt | Literal["auto"] = 1
    """Trainings at once, each in a process of its own, which share the threads unless `training.threads` says
    how many each has; auto is several of small models. A search proposes so many points at a time."""

    @field_validator("objectives")
    @classmethod
    def _known_objectives(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _read_each(cls, names, find_objective)

    @field_validator("constraints")
    @classmethod
    def _readable_constraints(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return _read_each(cls, texts, parse_constraint)

    @field_validator("objectives", "seeds")
    @classmethod
    def _no_repetition(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(values)) < len(values):
            raise ValueError(f"each may be named once, got {', '.join(map(str, values))}")
        return values

    @model_validator(mode="after")
    def _comparison_or_search(self) -> Self:
        if (self.variants is None) == (self.space is None):
            raise ValueError("an experiment has either `variants`, to compare, or a `space`, to search")
        if self.variants is not None and not self.variants:
            raise ValueError("`variants` must name at least one variant")
        if self.space is not None and self.match is not None:
            message = (
                "`match` adjusts the variants of a comparison, and a `space` is searched; leave it out, or "
                "bound the cost with `constraints`, such as [params <= 2e6]"
            )
            raise ValidationError.from_exception_data(type(self).__name__, [problem(message, key="match")])
        return self

    @model_validator(mode="after")
    def _stopping_can_be_judged(self) -> Self:
        stopping = self.search.stopping
        if stopping is not None and (message := stopping.explain_misfit(self.objectives, self.training)):
            raise ValueError(f"search.stopping: {message}")
        return self


def _read_each(
    model: type[Declared], values: tuple[str, ...], read: Callable[[str], object]
) -> tuple[str, ...]:
    """The `values`, if `read` can read all of them; else what it says, each at its place."""
    problems = []
    for index, value in enumerate(values):
        try:
            read(value)
        except ValueError as error:
            problems.append(InitErrorDetails(**{**problem(str(error), value=value), "loc": (index,)}))
    if problems:
        raise ValidationError.from_exception_data(model.__name__, problems)
    return values


@dataclass(frozen=True)
class Experiment:
    """A declared experiment with its variants or its space resolved.

    Args:
        config: As declared, with relative paths made absolute.
        variants: Of a comparison, else empty. Matched, where that is asked for and the vocabulary is known.
        space: Of a search, else None.
        to_match: The variants as declared, where they are to be matched.
        settings: Of the training, that are searched beside the architecture, by their names among parameters.
    """

    config: ExperimentConfig
    variants: tuple[Variant, ...]
    space: SearchSpace | None
    to_match: Comparands | None = None
    settings: Mapping[str, Domain] = field(default_factory=dict)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """The declared limits, parsed."""
        return tuple(parse_constraint(text) for text in self.config.constraints)

    def matched_for(self, vocab_size: int) -> "Experiment":
        """The experiment with its variants matched as they are with this vocabulary; itself, if they are.

        Raises:
            DeclarationError: (a ValueError) a variant cannot be matched, or all were for another vocabulary.
        """
        match = self.config.match
        if match is None or (match.outcome and match.outcome.vocab_size == vocab_size):
            return self
        if self.to_match is None:
            had = match.outcome and match.outcome.vocab_size
            message = (
                f"variants were matched for {had} token ids, the data has {vocab_size}; give those that "
            )
            raise DeclarationError(
                [Problem("", "match.outcome", message + "were declared, without `outcome`")]
            )
        variants, outcome = self.to_match.match(vocab_size)
        config = self.config.model_copy(update={"match": match.model_copy(update={"outcome": outcome})})
        return replace(self, config=config, variants=variants)

    def to_data(self) -> dict[str, Any]:
        """The experiment as plain data that stands on its own: catalog and files are resolved."""
        data = self.config.model_dump(mode="json", exclude={"variants", "space", "budget"})
        data["budget"] = self.config.budget.model_dump(mode="json", exclude_none=True)
        if self.space is not None:
            return {**data, "space": {"name": self.space.name, **self.space.declaration.body.data}}
        return {**data, "variants": [declared_data(variant) for variant in self.variants]}


def declared_data(variant: Variant) -> dict[str, Any]:
    """A variant as plain data that stands on its own."""
    header = {"name": variant.name, "description": variant.description, "source": variant.source}
    return {key: value for key, value in header.items() if value} | variant.config.model_dump(mode="json")


def resolve_experiment(document: Document, folder: Path, default_name: str) -> Experiment:
    """The experiment that `document` declares.

    Args:
        folder: Where relative paths start.
        default_name: If the document names none.

    Raises:
        DeclarationError: (a ValueError) everything that is wrong, each with its place.
    """
    try:
        config = ExperimentConfig.model_validate(document.data)
    except ValidationError as error:
        raise DeclarationError(problems_of(error, document.marks)) from None
    config = config.model_copy(
        update={"data": config.data.relative_to(folder), "name": config.name or default_name}
    )
    if config.space is not None:
        marks = marks_within(document.marks, ("space",))
        space = resolve_space(config.space, marks, folder, default_name=config.name)
        settings = parse_settings(config.search.nuisance, document)
        if config.search.is_exhaustive:
            _require_grid(space, settings, document)
        return Experiment(config, (), space, settings=settings)
    variants = tuple(
        resolve_variant(
            entry, marks_within(document.marks, ("variants", index)), folder, default_name=f"variant-{index}"
        )
        for index, entry in enumerate(config.variants or ())
    )
    names = [variant.name for variant in variants]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        message = f"each variant needs a name of its own, got {', '.join(repeated)} more than once"
        raise DeclarationError([problem_at(document.marks, ("variants",), message)])
    return _match(Experiment(config, variants, None), document, folder)


def _match(experiment: Experiment, document: Document, folder: Path) -> Experiment:
    """The experiment with its variants matched, as far as that is asked for and possible before a run."""
    config = experiment.config
    if config.match is None:
        return experiment
    where = find_mark(document.marks, ("match",))
    if config.match.outcome is not None:
        check_outcome(config.match, experiment.variants, config.training, where)
        return experiment
    target_marks = marks_within(document.marks, ("match", "to"))
    target = find_target(config.match, experiment.variants, target_marks, folder)
    comparands = Comparands(config.match, experiment.variants, target, config.training, where)
    experiment = replace(experiment, to_match=comparands)
    vocab_size = wanted_vocabulary(config.data.tokenizer)
    return experiment if vocab_size is None else experiment.matched_for(vocab_size)


def _require_grid(space: SearchSpace, settings: Mapping[str, Domain], document: Document) -> None:
    """Refuse, before anything is trained, a space that cannot be tried point by point."""
    joint = JointSpace(space, settings)
    try:
        joint.enumerate()
    except ValueError as error:
        raise DeclarationError([problem_at(document.marks, ("search", "sampler"), str(error))]) from None
    if joint.size is not None and joint.size > LARGEST_GRID:
        message = (
            f"a grid may have {LARGEST_GRID} points, this one has {joint.size}; try the sampler `random`"
        )
        raise DeclarationError([problem_at(document.marks, ("search", "sampler"), message)])
