"""The non-dominated front: what cannot be improved in one objective without giving up another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.objectives import find_objective
from experiments.record import Purpose, Status
from experiments.settings import PREFIX
from registry.costing.table import PARAMETER

if TYPE_CHECKING:
    import pandas as pd

SETTING = PARAMETER + PREFIX
"""Before a setting of the training that a search chose, among the columns of a table of trials."""


def is_on_front(values: ArrayLike | Sequence[Sequence[Any]], directions: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows no other row dominates.

    A row dominates another if it is at least as good in every objective and better in one. So equal rows
    stand or fall together, and a row with a missing or infinite number is never on the front and dominates
    nothing.

    Args:
        values: One row a candidate, one column an objective; None and NaN are missing.
        directions: `minimize` or `maximize`, one a column.

    Returns:
        One boolean a row.

    Raises:
        ValueError: `values` is no table with a column for each direction, or a direction is neither word.
    """
    table = _as_costs(values, directions)
    on_front = np.zeros(len(table), dtype=np.bool_)
    finite = np.asarray(np.isfinite(table)).all(axis=1)
    left: NDArray[np.intp] = np.flatnonzero(finite & (table.shape[1] > 0))
    # What dominates a row comes before it in this order: so the first that is left is on the front.
    left = left[np.lexsort(table[left].T[::-1])]
    while len(left):
        first = table[left[0]]
        on_front[left[np.all(table[left] == first, axis=1)]] = True
        left = left[~np.all(table[left] >= first, axis=1)]
    return on_front


def mark_front(table: "pd.DataFrame", objectives: Sequence[str]) -> "pd.Series[bool]":
    """Which rows of a table of trials belong to architectures on the front.

    Only complete trainings count, of several settings of the training those at the best. An architecture
    stands where the means over its seeds stand, those of its confirmations where it has any, and all these
    rows are marked with it.

    Args:
        table: Columns `status`, `purpose`, `config_hash`, `seed` and the objectives.
        objectives: Names of recorded numbers.

    Raises:
        ValueError: an objective is not known.
    """
    import pandas as pd

    names = list(objectives)
    directions = [find_objective(name).direction for name in names]
    complete = at_best_settings(table[table["status"] == Status.COMPLETE])
    numbers = complete[names].astype("float64")
    means = mean_over_seeds(rows_to_judge_by(complete), names)
    on_front = is_on_front(means.to_numpy(), directions)
    members = set(means.index[on_front])
    marked = complete["config_hash"].isin(members) & numbers.apply(np.isfinite).all(axis=1)
    return pd.Series(
        marked.reindex(table.index, fill_value=False).to_numpy(dtype=bool), table.index, name="on_front"
    )


def at_best_settings(complete: "pd.DataFrame") -> "pd.DataFrame":
    """Of complete trainings, those at the settings with which the search found the lowest validation loss.

    Where a search chooses a learning rate beside the architecture, an architecture is judged at its best one.
    """
    settings = [str(name) for name in complete if str(name).startswith(SETTING)]
    if not settings or complete.empty:
        return complete
    keys = complete[["config_hash", *settings]].astype(str).agg(" ".join, axis=1)
    searched = complete[complete["purpose"] != Purpose.CONFIRM]
    losses = searched["validation_loss"].astype("float64").groupby(keys).mean().sort_values(kind="stable")
    owners = complete.groupby(keys)["config_hash"].first().reindex(losses.index)
    best = owners[~owners.duplicated()].index
    return complete[keys.isin(best) | ~complete["config_hash"].isin(owners)]


def rows_to_judge_by(complete: "pd.DataFrame") -> "pd.DataFrame":
    """Of complete trainings, those that tell how good an architecture is, at its best settings.

    The best of many is chosen in part by the luck of its seed, and fresh seeds had no part in the choice:
    where an architecture was confirmed, its confirmations alone count.
    """
    complete = at_best_settings(complete)
    confirms = complete["purpose"] == Purpose.CONFIRM
    confirmed = complete["config_hash"].isin(complete["config_hash"][confirms])
    return complete[confirms | ~confirmed]


def mean_over_seeds(complete: "pd.DataFrame", names: Sequence[str]) -> "pd.DataFrame":
    """Means of recorded numbers of each architecture, by config hash, each seed counted once."""
    once = complete.drop_duplicates(["config_hash", "seed"])
    numbers = once[list(names)].astype("float64")
    return numbers.groupby(once["config_hash"].astype(object), sort=False).mean()


def _as_costs(values: ArrayLike | Sequence[Sequence[Any]], directions: Sequence[str]) -> NDArray[np.float64]:
    """The values as numbers of which less is better."""
    unknown = sorted(set(directions) - {"minimize", "maximize"})
    if unknown:
        raise ValueError(f"a direction must be `minimize` or `maximize`, got `{unknown[0]}`")
    table = np.asarray(values, dtype=np.float64)
    if table.size == 0:
        table = table.reshape(len(table), len(directions))
    if table.ndim != 2 or table.shape[1] != len(directions):
        raise ValueError(
            f"values must have a row a candidate and a column a direction, got shape {table.shape} "
            f"and {len(directions)} directions"
        )
    signs = np.array([1.0 if direction == "minimize" else -1.0 for direction in directions])
    costs: NDArray[np.float64] = table * signs
    return costs
