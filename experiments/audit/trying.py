"""A few points trained for a moment, to see how long a step takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from experiments.audit.build import name_row
from experiments.audit.content import Timing
from experiments.data.tokens import Tokens
from experiments.experiment import Experiment
from experiments.fitting import fit_to_experiment
from experiments.point_table import PointTable
from experiments.progress import Progress, Silent
from experiments.record import Status, TrialRecord
from experiments.run_tuning import find_tuning
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.trial_job import TrialJob
from experiments.tuning import resolve
from experiments.worker import Worker
from gpt_zoo.config.canonical import hash_config
from gpt_zoo.config.gpt import GPTConfig

STEP_SECONDS = 1.0
"""Each point is trained for so long, and one step at least."""
EVALUATIONS = 2


def try_points(
    experiment: Experiment,
    audited: PointTable,
    tokens: Tokens,
    rows: list[int],
    most_seconds: float,
    progress: Progress,
) -> tuple[list[Timing], int]:
    """What trying some rows took, the first ones first, and how many were left out for want of time.

    Args:
        most_seconds: No further row is tried that would lead beyond this.

    Raises:
        ValueError: the device of the experiment is not there.
    """
    flops = audited.table["step_flops"]
    timings: list[Timing] = []
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="gpt-zoo-audit-") as folder,
        Worker(Path(folder) / "log") as worker,
    ):
        settle = _settling(experiment.config.training, worker, progress)
        with progress.task("trying points", len(rows)) as task:
            for done, row in enumerate(rows):
                ahead = 0.0
                if timings:
                    last = timings[-1]
                    ratio = float(flops.iloc[row]) / last.step_flops
                    ahead = ratio * (last.overhead_seconds + last.seconds_per_step) + STEP_SECONDS
                if time.monotonic() - begun + ahead > most_seconds and timings:
                    return timings, len(rows) - done
                if timing := _try(experiment, audited, tokens, row, worker, Path(folder), settle):
                    timings.append(timing)
                task.update(done + 1, name_row(audited, row))
    return timings, 0


def _settling(
    training: TrainingConfig, worker: Worker, progress: Progress
) -> Callable[[GPTConfig], TrainingConfig]:
    """Tells the training of a config as it is tried: as in a run, but never compiled for such a moment."""
    devices = worker.require_device(training.device)
    device = next(iter(devices)) if training.device == "auto" else training.device
    tuning = find_tuning(training, device, worker, progress)
    tried = training.model_copy(update={"evaluations": EVALUATIONS, "save_weights": False})
    if tried.learning_rate == "auto":  # a sweep costs more than the moment, and is foreseen
        tried = tried.model_copy(update={"learning_rate": "by_width"})
    return lambda config: resolve(tried, config, device, tuning, None)


def _try(
    experiment: Experiment,
    audited: PointTable,
    tokens: Tokens,
    row: int,
    worker: Worker,
    folder: Path,
    settle: Callable[[GPTConfig], TrainingConfig],
) -> Timing | None:
    """Train a row for a moment; None if that cannot be done."""
    asked = experiment.config
    if experiment.space is None:
        config = experiment.variants[row].config
    else:
        config = experiment.space.variant(audited.parameters(row)).config
    config = fit_to_experiment(config, tokens.vocab_size, asked.training.drop_rate)
    try:
        tokens.require(config.context_length)
    except ValueError:
        return None
    data, name = config.model_dump(mode="json"), name_row(audited, row)
    record = TrialRecord(
        trial=row,
        variant=name,
        seed=asked.seeds[0],
        status=Status.FAILED,
        config=data,
        config_hash=hash_config(data),
    )
    job = TrialJob(
        record=record,
        training=settle(config),
        budget=BudgetConfig(seconds=STEP_SECONDS),
        tokens=tokens.folder,
        state=folder / f"{row}.safetensors",
        weights=folder / f"{row}-weights",
    )
    begun = time.monotonic()
    ended = worker.run(job, Silent())
    if ended.seconds is None or not ended.steps:
        return None
    return Timing(
        name,
        float(audited.table["step_flops"].iloc[row]),
        float(audited.table["forward_flops_per_token"].iloc[row]),
        ended.steps,
        _seconds_per_step(ended),
        time.monotonic() - begun - ended.seconds,
    )


def _seconds_per_step(ended: TrialRecord) -> float:
    """Of the second half, if there is one: the first step makes what the others find."""
    assert ended.seconds is not None
    assert ended.steps
    first = ended.curve[0] if ended.curve else None
    if first is not None and ended.steps > first.step:
        return (ended.seconds - first.seconds) / (ended.steps - first.step)
    return ended.seconds / ended.steps
