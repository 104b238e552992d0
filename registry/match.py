"""Variants adjusted to equal cost: an integer search over the closed forms. Nothing is built."""

from collections.abc import Sequence

from gpt_zoo.cost import Cost
from gpt_zoo.cost.memory import TrainingStep
from registry.matching.result import Goal, Match
from registry.matching.search import Matching
from registry.variant import Variant

__all__ = ["Match", "match_variant"]


def match_variant(
    variant: Variant,
    target: Variant | Cost,
    on: str,
    by: Sequence[str],
    tolerance: float = 0.01,
    multiple_of: int = 1,
    context_length: int | None = None,
    step: TrainingStep = TrainingStep(),  # noqa: B008 (frozen)
) -> Match:
    """The variant whose cost is nearest to that of `target`.

    Of several fields, that whose next value changes the cost most is adjusted first, alone; the next ones
    make up for what remains, and if they cannot, other values of the former are tried. Every value obeys the
    rules of GPTConfig.

    Args:
        on: The cost, a name of `COSTS`.
        by: Key paths of the whole numbers that are free, such as `feed_forward.hidden_dim`, `n_layers`.
        tolerance: Largest difference that `Match.within` accepts, as a share of the target.
        multiple_of: Of which free widths are multiples.
        context_length: Of the sequences that costs are counted for; unless given, the smaller of both
            contexts, or that of a Cost.
        step: Of training: its batch size and, for `memory`, its precision and optimizer.

    Raises:
        ValueError: an unknown cost or field, no valid value, or a context that one of both does not have.
    """
    matching = Matching(variant, target, Goal(on, tuple(by), tolerance, multiple_of), context_length, step)
    return matching.best()
