"""Comparing named variants under one budget."""

from itertools import count
from pathlib import Path

from experiments.experiment import Experiment
from experiments.loading import Declaration, as_experiment
from experiments.progress import Progress, Silent
from experiments.results import write_results
from experiments.run_folder import RUNS, RunFolder
from experiments.runner import Point, open_runner


def run_comparison(
    experiment: Experiment | Declaration, folder: Path | str | None = None, progress: Progress | None = None
) -> RunFolder:
    """Train each variant of `experiment` with each seed, and write tables and reports.

    What is already in the folder is not trained again: the same call goes on with an interrupted comparison.

    Args:
        experiment: One with `variants`, or its name, file or data.
        folder: The run folder, made if need be; `runs/` and the experiment's name unless given.
        progress: Told of each training.

    Raises:
        ValueError: no variants, unusable data or device, or a folder of another experiment.
    """
    experiment = as_experiment(experiment)
    if experiment.space is not None:
        raise ValueError("this experiment has a `space`: it is a search, not a comparison")
    progress = progress or Silent()
    run = RunFolder(Path(folder) if folder is not None else RUNS / experiment.config.name)
    seeds = experiment.config.seeds
    # Seeds before variants: an interrupted comparison has compared as many as it could.
    with open_runner(run, experiment, progress) as runner:
        variants = runner.experiment.variants  # adjusted to equal cost, where that is asked for
        points = [
            Point(trial, variant.name, variant.config, seed, {})
            for seed in seeds
            for trial, variant in enumerate(variants)
        ]
        with progress.task("trials", len(points)) as task:
            done = count(1)
            runner.run_trials(points, lambda _: task.update(next(done)))
        write_results(run)
    return run
