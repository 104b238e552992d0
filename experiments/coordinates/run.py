"""A coordinate check on real text."""

from experiments.coordinates.check import Coordinate, Growing, at_width
from experiments.coordinates.measure import Request, measure_coordinates
from experiments.data.config import DataConfig
from experiments.data.tokens import load_tokens
from experiments.fitting import fit_to_experiment
from experiments.progress import Progress
from experiments.training.config import TrainingConfig
from experiments.training.device import set_threads
from gpt_zoo.config.gpt import GPTConfig


def run_check(
    config: GPTConfig,
    training: TrainingConfig,
    widths: tuple[int, ...],
    steps: int,
    seeds: int,
    growing: Growing,
    progress: Progress,
) -> list[Coordinate]:
    """Measure a variant on the source of Python's standard library, a token a byte.

    Raises:
        ValueError: the variant cannot have one of the widths, or the parametrization has no rules for it.
    """
    for width in widths:  # before anything takes time
        at_width(config, width, growing)
    set_threads(training.threads)
    tokens = load_tokens(DataConfig(), progress)
    request = Request(
        fit_to_experiment(config, tokens.vocab_size, 0.0), training, widths, steps, seeds, growing
    )
    with progress.task("coordinate check", len(widths)) as task:
        return measure_coordinates(request, tokens, task)
