"""How many trainings run at once, and with how many threads each: settled once for a whole run."""

from collections.abc import Iterator

from experiments.doctor import usable_threads
from experiments.environment import allowed_cores
from experiments.experiment import Experiment
from experiments.search_config import DEFAULT_TRIALS
from experiments.training.config import TrainingConfig
from experiments.tuning import PYTHON_BOUND_PARAMS
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import model_params
from registry.errors import DeclarationError

SMALL_CPU_PARAMS = 2_000_000
"""Below, the products of a step are taken to be too small for a second thread to halve their time; an
estimate of where that ends, not measured."""
MOST_ON_CUDA = 4
DRAWN_POINTS = 64
"""Of a space, whose largest model is taken for that of the search."""


def settle_parallel(experiment: Experiment, device: str, before: int | None) -> int:
    """Trainings at once, where `auto` is replaced by what is meant.

    Args:
        device: That they run on.
        before: What it was settled to when the run began; None if it begins now.
    """
    asked = experiment.config.parallel
    if asked != "auto":
        return asked
    if before is not None:
        return before
    largest = max((model_params(config)[0] for config in _models(experiment)), default=0)
    if device == "cpu" and largest < SMALL_CPU_PARAMS:
        most = allowed_cores() // (experiment.config.training.threads or 1)
    else:
        most = MOST_ON_CUDA if device == "cuda" and largest < PYTHON_BOUND_PARAMS else 1
    trainings = len(experiment.variants) or experiment.config.search.trials or DEFAULT_TRIALS
    return max(1, min(most, trainings * len(experiment.config.seeds)))


def settle_threads(training: TrainingConfig, parallel: int) -> TrainingConfig:
    """The training with its share of the cores: what it computes must not depend on what else runs."""
    if training.threads is not None or parallel == 1:
        return training
    return training.model_copy(update={"threads": max(1, usable_threads() // parallel)})


def _models(experiment: Experiment) -> Iterator[GPTConfig]:
    """Of a comparison all, of a search some points of the space."""
    yield from (variant.config for variant in experiment.variants)
    if experiment.space is None:
        return
    from registry.costing.points import choose_points

    points = choose_points(experiment.space, DRAWN_POINTS, experiment.config.seeds[0])
    for point in range(points.number):
        try:
            yield experiment.space.variant(points.parameters(point)).config
        except DeclarationError:
            continue
