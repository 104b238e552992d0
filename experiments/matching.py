"""The variants of a comparison adjusted to equal cost, as they are trained.

The tokenizer decides the vocabulary, so it decides what a variant costs: it is matched as it will be trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from experiments.data.config import BpeTokenizer, BytesTokenizer, Tokenizer
from experiments.fitting import fit_to_experiment
from experiments.training.config import TrainingConfig
from experiments.training.step import training_step
from gpt_zoo.config.base import Declared
from gpt_zoo.config.gpt import GPTConfig
from registry.document import Marks
from registry.errors import DeclarationError, Problem
from registry.matching.advice import explain_miss
from registry.matching.costs import CostName
from registry.matching.fields import with_values
from registry.matching.result import Goal, Match
from registry.matching.search import Matching
from registry.variant import Variant, resolve_variant


class MatchedVariant(Declared):
    """What became of one variant."""

    before: dict[str, int | None]
    """The free fields as they were declared."""
    after: dict[str, int | None]
    cost_before: int
    cost: int
    difference: float
    """Of the cost, as a share of the target's."""
    shadowed: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """Layers that have a field of their own, which stayed."""


class MatchOutcome(Declared):
    """What a matching did: it is written into the run folder, where the variants are matched ones."""

    vocab_size: int
    context_length: int
    """Of the sequences that costs were counted for."""
    target: int
    """The cost of `to`."""
    variants: dict[str, MatchedVariant]
    """By name, those that were adjusted."""


class MatchConfig(Declared):
    """How the variants of a comparison are adjusted to equal cost."""

    to: str
    """Whose cost they get: one of the variants, which stays as it is, or a catalog name or a file."""
    on: str = "params"
    """params, active, non_embedding, flops, flops_causal, flops_windowed, train_flops, kv_bytes,
    kv_bytes_per_token, or memory: the predicted peak of training."""
    by: tuple[str, ...] = Field(min_length=1)
    """Key paths of whole numbers that may change, such as `feed_forward.hidden_dim`."""
    tolerance: float = Field(default=0.01, ge=0.0, lt=1.0)
    """Largest difference, as a share of the cost of `to`."""
    multiple_of: PositiveInt = 1
    """Of which widths are multiples."""
    context_length: PositiveInt | None = None
    """Of the sequences that costs are counted for; the smallest context of all unless given."""
    outcome: MatchOutcome | None = None
    """What was done; written by a run. Variants that have been matched are not matched again."""

    @model_validator(mode="after")
    def _is_a_goal(self) -> Self:
        _ = self.goal
        return self

    @property
    def goal(self) -> Goal:
        """What is asked of each variant."""
        return Goal(self.on, self.by, self.tolerance, self.multiple_of)


@dataclass(frozen=True)
class Comparands:
    """Variants as declared, and all that matching them depends on but the vocabulary.

    Args:
        where: Position of the declaration, for errors.
    """

    config: MatchConfig
    variants: tuple[Variant, ...]
    target: Variant
    training: TrainingConfig
    where: str

    def match(self, vocab_size: int) -> tuple[tuple[Variant, ...], MatchOutcome]:
        """The variants with other values, and what was done.

        Raises:
            DeclarationError: (a ValueError) those that cannot be matched, each with what it would take.
        """
        matches: dict[str, Match] = {}
        problems = []
        for variant in self.variants:
            if variant.name == self.target.name:
                continue
            try:
                matches[variant.name] = self._match(variant, vocab_size)
            except ValueError as error:
                problems.append(Problem(self.where, "match", str(error)))
        if problems:
            raise DeclarationError(problems)
        step = replace(training_step(self.training), context_length=self._context_length)
        name = CostName(self.config.on, self._context_length, step)
        outcome = MatchOutcome(
            vocab_size=vocab_size,
            context_length=self._context_length,
            target=name.of(self._fitted(self.target, vocab_size).config),
            variants={name: _outcome(match) for name, match in matches.items()},
        )
        return tuple(_adjusted(variant, matches) for variant in self.variants), outcome

    def _match(self, variant: Variant, vocab_size: int) -> Match:
        fitted = self._fitted(variant, vocab_size)
        target = self._fitted(self.target, vocab_size)
        step = training_step(self.training)
        matching = Matching(fitted, target, self.config.goal, self._context_length, step)
        match = matching.best()
        if not match.within:
            raise ValueError(explain_miss(matching, match))
        return match

    def _fitted(self, variant: Variant, vocab_size: int) -> Variant:
        return replace(variant, config=_fit(variant, vocab_size, self.training))

    @property
    def _context_length(self) -> int:
        smallest = min(variant.config.context_length for variant in (*self.variants, self.target))
        return self.config.context_length or smallest


def check_outcome(
    match: MatchConfig, variants: Sequence[Variant], training: TrainingConfig, where: str
) -> None:
    """Hold what an earlier matching says against the variants.

    Args:
        match: One that has an outcome.
        where: Position of the declaration.

    Raises:
        DeclarationError: (a ValueError) these are not the variants that were matched.
    """
    outcome = match.outcome
    assert outcome is not None
    step = replace(training_step(training), context_length=outcome.context_length)
    name = CostName(match.on, outcome.context_length, step)
    costs = {
        variant.name: name.of(_fit(variant, outcome.vocab_size, training))
        for variant in variants
        if variant.name in outcome.variants
    }
    for variant, told in outcome.variants.items():
        cost = costs.get(variant)
        if cost != told.cost:
            found = "is not there" if cost is None else f"has {cost:,}"
            message = f"`{variant}` was matched to {match.on} {told.cost:,}, and {found}; leave `outcome` out"
            raise DeclarationError([Problem(where, "match.outcome", message)])


def _fit(variant: Variant, vocab_size: int, training: TrainingConfig) -> GPTConfig:
    return fit_to_experiment(variant.config, vocab_size, training.drop_rate)


def find_target(match: MatchConfig, variants: tuple[Variant, ...], marks: Marks, folder: Path) -> Variant:
    """The variant that others are adjusted to: one of them, or one of the catalog, or in a file.

    Raises:
        DeclarationError: (a ValueError) there is none of that name.
    """
    own = {variant.name: variant for variant in variants}
    return own[match.to] if match.to in own else resolve_variant(match.to, marks, folder)


def wanted_vocabulary(tokenizer: Tokenizer) -> int | None:
    """The token ids of a tokenizer, where that is known before any text or file is read.

    A byte pair encoding of little text may have fewer than are wanted: then variants are matched again.
    """
    if isinstance(tokenizer, BytesTokenizer):
        return 256
    return tokenizer.vocab_size if isinstance(tokenizer, BpeTokenizer) else None


def _adjusted(variant: Variant, matches: Mapping[str, Match]) -> Variant:
    if variant.name not in matches:
        return variant
    return replace(variant, config=with_values(variant.config, matches[variant.name].values))


def _outcome(match: Match) -> MatchedVariant:
    return MatchedVariant(
        before=match.before,
        after=match.after,
        cost_before=match.cost_before,
        cost=match.cost,
        difference=match.difference(),
        shadowed={field: tuple(layers) for field, layers in match.shadowed.items()},
    )
