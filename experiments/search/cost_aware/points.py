"""The points of a space that can be trained, with what is known of them before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.experiment import Experiment
from experiments.objectives import LOSSES, Objective, find_objective
from experiments.point_table import PointTable
from experiments.search.cost_aware.choose import Candidates
from experiments.search.cost_aware.features import build_features
from experiments.search.grid import canonical
from experiments.settings import combine_settings
from registry.costing.table import PARAMETER
from registry.labels import Primitive

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SearchPoints:
    """The candidates of a search.

    Args:
        candidates: As numbers, one for each model: of points that are the same model, the first.
        parameters: What is chosen for each.
        costs: The objectives that are known before training.
        loss: The objective that is modelled.
        measured: Other objectives that only a training tells, such as `seconds`.
    """

    candidates: Candidates
    parameters: list[dict[str, Primitive]]
    costs: tuple[Objective, ...]
    loss: Objective
    measured: tuple[Objective, ...]

    @cached_property
    def places(self) -> dict[str, int]:
        """The candidates by their parameters as canonical text."""
        return {canonical(chosen): row for row, chosen in enumerate(self.parameters)}

    def find(self, parameters: dict[str, Any]) -> int | None:
        """The candidate with these parameters; None if there is none, or it is the same model as another."""
        return self.places.get(canonical(parameters))


def as_cost(values: Array, objective: Objective) -> Array:
    """Values of an objective so that less is better, in logarithms where it is drawn in such."""
    signed = values if objective.direction == "minimize" else -values
    if objective.logarithmic and bool((values > 0).all()):
        logs: Array = np.log(values) if objective.direction == "minimize" else -np.log(values)
        return logs
    return signed


def find_points(experiment: Experiment, known: PointTable) -> SearchPoints:
    """The candidates of an experiment, from what is known of its points.

    Raises:
        ValueError: all objectives are known before training, so that there is nothing to find out.
    """
    settings = list(combine_settings(experiment.settings))
    models = np.flatnonzero(known.distinct)
    rows = np.repeat(models, len(settings))
    table = known.table.iloc[rows].reset_index(drop=True)
    objectives = [find_objective(name) for name in experiment.config.objectives]
    costs = tuple(objective for objective in objectives if _is_known(table, objective.name))
    unknown = [objective for objective in objectives if objective not in costs]
    if not unknown:
        raise ValueError(
            f"{', '.join(experiment.config.objectives)} are known without training; add an objective that "
            "only training tells, such as validation_loss, or look at `gpt-zoo audit`"
        )
    losses = [objective for objective in unknown if objective.name in LOSSES] or unknown
    chosen = table[[name for name in table if str(name).startswith(PARAMETER)]]
    chosen = chosen.rename(columns=lambda name: str(name).removeprefix(PARAMETER))
    for name in experiment.settings:
        chosen[name] = [setting[name] for setting in settings] * len(models)
    parameters = [{**known.parameters(int(row)), **setting} for row in models for setting in settings]
    flops = table["train_flops"].to_numpy(float)
    candidates = Candidates(
        build_features(chosen, table),
        np.column_stack([np.zeros((len(rows), 0)), *(_scaled(table, objective) for objective in costs)]),
        flops if np.isfinite(flops).all() else np.ones(len(rows)),
    )
    measured = tuple(objective for objective in unknown if objective != losses[0])
    return SearchPoints(candidates, parameters, costs, losses[0], measured)


def _is_known(table: pd.DataFrame, name: str) -> bool:
    return name in table and bool(table[name].notna().all())


def _scaled(table: pd.DataFrame, objective: Objective) -> Array:
    values = as_cost(table[objective.name].to_numpy(float), objective)
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    return (values - low) / (high - low) if high > low else np.zeros(len(values))
