"""The search: propose, train, tell, until enough is trained."""

import json
from pathlib import Path

from experiments.experiment import Experiment
from experiments.joint_space import JointSpace
from experiments.loading import Declaration, as_experiment
from experiments.progress import Progress, Silent
from experiments.results import write_results
from experiments.run_folder import RUNS, RunFolder, write_atomically
from experiments.runner import open_runner
from experiments.search.afterwards import check_stopped, confirm_front
from experiments.search.lessons import write_lessons
from experiments.search.loop import SearchLoop
from experiments.search.study import measure_importances, open_study, storage_errors_explained, storage_url


def run_search(
    experiment: Experiment | Declaration, folder: Path | str | None = None, progress: Progress | None = None
) -> RunFolder:
    """Search the space of `experiment`, training each proposal, and write tables and reports.

    The same call goes on with an interrupted search: finished trials count, the one that was being trained is
    taken up, and the sampler proposes what it would have proposed next.

    Args:
        experiment: One with a `space`, or its name, file or data.
        folder: The run folder, made if need be; `runs/` and the experiment's name unless given.
        progress: Told of the trials and of each training.

    Raises:
        ValueError: no space, unusable data, device or storage, or a folder of another experiment.
        OSError: the disk is full, or the storage fails on the way; the search can be continued.
    """
    experiment = as_experiment(experiment)
    if experiment.space is None:
        raise ValueError("this experiment has `variants`: it is a comparison, not a search")
    run = RunFolder(Path(folder) if folder is not None else RUNS / experiment.config.name)
    with open_runner(run, experiment, progress or Silent()) as runner:
        study = open_study(run, experiment)
        with storage_errors_explained(storage_url(run, experiment)):
            loop = SearchLoop(runner, study, JointSpace(experiment.space, experiment.settings))
            loop.run()
            check_stopped(loop)
            confirm_front(loop)
            importances = measure_importances(study, experiment.config.objectives)
        write_atomically(run.importances, json.dumps(importances, indent=1))
        write_lessons(run)
        write_results(run)
    return run
