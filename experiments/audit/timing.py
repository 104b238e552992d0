"""How long the trainings will take: a few points are trained for a moment, the others follow from FLOPs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from experiments.audit.build import feasible_rows
from experiments.audit.content import CONFIDENCE, Time, Timing
from experiments.audit.trying import EVALUATIONS, try_points
from experiments.data.tokens import load_tokens
from experiments.experiment import Experiment
from experiments.point_table import PointTable
from experiments.progress import Progress
from experiments.search_config import DEFAULT_TRIALS
from experiments.units import format_seconds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

TRIED = 5
"""Points that are trained for a moment, from the cheapest to the dearest."""
SWEEP_SHARE, USUAL_RATES = 0.1, 4
"""What a sweep of learning rates takes, as `experiments.training.sweep` makes it: three rates at least, seven
at most."""
LEAST_SPREAD = 0.1
"""Two measurements of the same point differ by about so much."""


def estimate_time(
    experiment: Experiment, audited: PointTable, most_seconds: float, progress: Progress
) -> Time | None:
    """Train a few points for a moment and tell how long all will take; None where nothing can be trained.

    Args:
        most_seconds: No further point is tried that would lead beyond this.
        progress: Told of each point.

    Raises:
        ValueError: the text of the experiment cannot be had, or its device is not there.
    """
    rows = feasible_rows(audited)
    if not rows:
        return None
    tokens = load_tokens(experiment.config.data, progress)
    timings, left_out = try_points(experiment, audited, tokens, _spread(rows), most_seconds, progress)
    if not timings:
        return None
    start, each, spread = _predict(experiment, audited.table.iloc[rows], len(tokens.validation), timings)
    trials = _trials(experiment, audited, len(rows))
    seconds, low, high = _total(each, trials, len(experiment.config.seeds), spread, len(rows) > trials)
    return Time(
        seconds,
        low,
        high,
        trials * len(experiment.config.seeds),
        tuple(timings),
        tuple(_remarks(experiment, trials, len(rows), start, left_out)),
    )


def _spread(rows: list[int]) -> list[int]:
    """The cheapest row, the dearest, and some between."""
    last = len(rows) - 1
    return list(dict.fromkeys(rows[round(last * place / (TRIED - 1))] for place in range(TRIED)))


def fit_speed(timings: list[Timing]) -> tuple[float, float, float]:
    """Seconds of a step, and for each of its FLOPs, fitted to relative errors; the spread of those.

    Neither is below 0: what fits worse without one of them is fitted without it.
    """
    import numpy as np

    flops = np.array([timing.step_flops for timing in timings])
    seconds = np.array([timing.seconds_per_step for timing in timings])
    both = np.stack([1 / seconds, flops / seconds], axis=1)
    base, slope = 0.0, 0.0
    if len(np.unique(flops)) > 1:
        base, slope = (float(x) for x in np.linalg.lstsq(both, np.ones(len(timings)), rcond=None)[0])
    if base < 0 or slope <= 0:
        alone = both[:, 0 if base >= 0 and slope < 0 else 1]
        fitted = float(alone.sum() / (alone**2).sum())
        base, slope = (fitted, 0.0) if base >= 0 and slope < 0 else (0.0, fitted)
    errors = 1 - (base + slope * flops) / seconds
    spread = math.sqrt(float((errors**2).sum()) / max(len(timings) - 2, 1))
    return base, slope, max(spread, LEAST_SPREAD)


def _predict(
    experiment: Experiment, table: pd.DataFrame, validation_tokens: int, timings: list[Timing]
) -> tuple[float, NDArray[np.float64], float]:
    """Seconds until a training has started, of a whole training for each row, and their relative error.

    An evaluation is a forward pass over the validation text at the speed of a step.
    """
    import numpy as np

    asked = experiment.config
    base, slope, spread = fit_speed(timings)
    evaluating = slope * validation_tokens
    start = float(
        np.median(
            [
                timing.overhead_seconds - EVALUATIONS * evaluating * timing.forward_flops_per_token
                for timing in timings
            ]
        )
    )
    if asked.budget.seconds is not None:
        training = np.full(len(table), asked.budget.seconds)
    else:
        per_step = base + slope * table["step_flops"].to_numpy(dtype=float)
        training = table["steps"].to_numpy(dtype=float) * per_step
    evaluation = evaluating * table["forward_flops_per_token"].to_numpy(dtype=float)
    start = max(start, 0.0)
    swept = USUAL_RATES / len(asked.seeds) if asked.training.learning_rate == "auto" else 0.0
    evaluations = asked.training.evaluations + swept
    return start, start + (1 + swept * SWEEP_SHARE) * training + evaluations * evaluation, spread


def _total(
    each: NDArray[np.float64], trials: int, seeds: int, spread: float, drawn: bool
) -> tuple[float, float, float]:
    """Of all trainings, and at least and at most: measurements err all alike, a draw of points by itself."""
    mean = float(each.mean())
    luck = CONFIDENCE * float(each.std()) * math.sqrt(trials) * seeds if drawn else 0.0
    seconds = mean * trials * seeds
    error = CONFIDENCE * spread
    cheapest = float(each.min()) * trials * seeds
    return seconds, max(seconds - luck, cheapest) / (1 + error), (seconds + luck) * (1 + error)


def _trials(experiment: Experiment, audited: PointTable, models: int) -> int:
    """Trainings of a seed: as many as are wanted, if there are so many models."""
    if experiment.space is None:
        return models
    search = experiment.config.search
    wanted = search.trials or (models if search.is_exhaustive else DEFAULT_TRIALS)
    return wanted if audited.sampled else min(wanted, models)


def _remarks(experiment: Experiment, trials: int, models: int, start: float, left_out: int) -> list[str]:
    remarks = [
        f"A training is taken to start in {format_seconds(start)}, and a step to take as long as its FLOPs "
        "let expect, on this machine with nothing else to do."
    ]
    if experiment.space is not None and models > trials:
        remarks.append(
            "The points are taken to be drawn by lot from the feasible ones. A sampler that learns prefers "
            "some, which may be the dear ones."
        )
    if experiment.config.training.learning_rate == "auto":
        remarks.append(
            f"The sweep of learning rates is taken to try {USUAL_RATES} of them for each model, each in "
            f"{SWEEP_SHARE:.0%} of its training."
        )
    if left_out:
        remarks.append(
            f"The {'dearest point was' if left_out == 1 else f'{left_out} dearest points were'} not tried "
            "for want of time: what they take is extrapolated."
        )
    return remarks
