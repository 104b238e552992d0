"""An audit from its experiment to its page."""

from pathlib import Path

from experiments.audit.build import build_audit
from experiments.audit.content import Audit
from experiments.experiment import Experiment
from experiments.loading import Declaration, as_experiment
from experiments.point_table import build_point_table
from experiments.progress import Progress, Silent
from experiments.run_folder import RUNS, RunFolder, write_atomically

MOST_POINTS = 100_000
MEASURE_SECONDS = 60.0


def run_audit(
    experiment: Experiment | Declaration,
    points: int = MOST_POINTS,
    seed: int = 0,
    measure_seconds: float | None = MEASURE_SECONDS,
    progress: Progress | None = None,
) -> Audit:
    """What there is to know of an experiment before it is run.

    Args:
        experiment: A search or a comparison, or its name, file or data.
        points: The most that are looked at; of a larger space so many are drawn by lot.
        seed: Of the draw.
        measure_seconds: Time for training a few points for a moment, so that the time of all can be told;
            None trains nothing, and imports no torch.
        progress: Told of what is trained.

    Raises:
        ValueError: no point is asked for, or text, tokenizer or device cannot be had.
    """
    experiment = as_experiment(experiment)
    audited = build_point_table(experiment, points, seed)
    if measure_seconds is None:
        return build_audit(experiment, audited)
    from experiments.audit.timing import estimate_time

    time = estimate_time(experiment, audited, measure_seconds, progress or Silent())
    return build_audit(experiment, audited, time)


def write_audit(audit: Audit, folder: Path | str | None = None) -> Path:
    """Write the page of an audit and return its path.

    Args:
        folder: The run folder; `runs/` and the experiment's name unless given.
    """
    from experiments.audit.page import render_audit_page

    run = RunFolder(Path(folder) if folder is not None else RUNS / audit.name)
    write_atomically(run.audit, render_audit_page(audit))
    return run.audit
