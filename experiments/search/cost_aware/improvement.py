"""How much a training is expected to improve the front, where its costs are known and its loss is not.

The front's hypervolume is the volume of what at least one trained variant dominates, up to a bound. A variant
of costs c whose loss turns out to be y adds to it, at each point s of the cost space that is no cheaper than
c, what its loss is below the best loss f(s) that is known there for costs up to s:

    improvement(y) = ∫ max(0, f(s) - y) ds,  over c <= s <= bound

f is a step function: it is constant in the cells between the costs of the variants on the front. So the
expectation over y, which is normal, is a sum over cells of their volume and the well-known expected
improvement below their level. It is exact for up to two costs; for more, cells are merged to a few thousand.

Source: Jones et al. 1998, "Efficient Global Optimization of Expensive Black-Box Functions", for one cell;
    Emmerich et al. 2011, "Hypervolume-based expected improvement", for cells.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from experiments.front import is_on_front

Array = NDArray[np.float64]

MOST_CELLS = 4096
"""Of three and more costs; of fewer, there are as many as the front has steps."""
CHUNK = 1024
"""Candidates whose overlaps with all cells are in memory at once."""


class Cells(NamedTuple):
    """Boxes of the cost space in each of which the best known loss is one number.

    Args:
        edges: For each cost, where its intervals end, in rising order; the first begins at minus infinity.
        levels: The best known loss in each box, (intervals of the first cost, of the second, ...).
    """

    edges: list[Array]
    levels: Array


def build_cells(losses: Array, costs: Array, loss_bound: float, cost_bound: Array) -> Cells:
    """The cells between the costs of trained variants.

    Args:
        losses: Of n trained variants, (n,).
        costs: Theirs, (n, d).
        loss_bound: Larger losses improve nothing.
        cost_bound: Larger costs improve nothing, (d,).
    """
    kept = (losses < loss_bound) & (costs < cost_bound).all(axis=1)
    losses, costs = losses[kept], costs[kept]
    on_front = is_on_front(np.column_stack((losses, costs)), ["minimize"] * (1 + costs.shape[1]))
    losses, costs = losses[on_front], costs[on_front]
    most = int(MOST_CELLS ** (1 / costs.shape[1])) if costs.shape[1] > 2 else len(losses) + 1
    edges = [_edges(costs[:, axis], cost_bound[axis], most) for axis in range(costs.shape[1])]
    levels = np.full([len(ends) for ends in edges], loss_bound)
    for loss, cost in zip(losses, costs, strict=True):
        # It is the best known from the first interval on that does not begin before its cost.
        beyond = tuple(
            slice(int(np.searchsorted(ends, own)) + 1, None) for ends, own in zip(edges, cost, strict=True)
        )
        levels[beyond] = np.minimum(levels[beyond], loss)
    return Cells(edges, levels)


def expected_improvement(mean: Array, deviation: Array, level: float | Array) -> Array:
    """E[max(0, level - y)] of a normal y; shapes broadcast."""
    below = level - mean
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        z = below / deviation
        density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
        spread: Array = below * ndtr(z) + deviation * density
    certain: Array = np.maximum(below, 0.0)
    improved: Array = np.where(deviation > 0, np.maximum(spread, 0.0), certain)
    return improved


def most_improvement(mean: Array, deviation: Array, costs: Array, cells: Cells) -> Array:
    """What the expected improvement of the hypervolume cannot exceed, (N,): a number a candidate, not a cell.

    Where a candidate is no dearer than a point of the cost space, the best loss known there is at most that
    known at its own costs.

    Arguments are those of `expected_hypervolume_improvement`.
    """
    place, volume = [], np.ones(len(mean))
    for axis, ends in enumerate(cells.edges):
        place.append(np.minimum(np.searchsorted(ends, costs[:, axis], side="right"), len(ends) - 1))
        volume *= np.maximum(0.0, ends[-1] - costs[:, axis])
    return volume * expected_improvement(mean, deviation, cells.levels[tuple(place)])


def expected_hypervolume_improvement(mean: Array, deviation: Array, costs: Array, cells: Cells) -> Array:
    """What a training of each candidate is expected to add to the hypervolume of the front, (N,).

    Args:
        mean: Of the losses that are predicted, (N,).
        deviation: Of their standard deviations, (N,).
        costs: Of the candidates, (N, d), known.
        cells: Of what is trained.
    """
    levels, place = np.unique(cells.levels, return_inverse=True)
    of_level = np.eye(len(levels))[place.ravel()]  # (cells, levels)
    improved = np.empty(len(mean))
    for first in range(0, len(mean), CHUNK):
        part = slice(first, first + CHUNK)
        volume = _overlaps(costs[part], cells.edges) @ of_level  # (N, levels)
        gain = expected_improvement(mean[part, None], deviation[part, None], levels)
        improved[part] = (volume * gain).sum(axis=1)
    return improved


def hypervolume(losses: Array, costs: Array, loss_bound: float, cost_bound: Array) -> float:
    """The volume between the bounds that the variants dominate; exact for up to two costs.

    Arguments are those of `build_cells`.
    """
    return volume_found(build_cells(losses, costs, loss_bound, cost_bound), loss_bound)


def volume_found(cells: Cells, loss_bound: float) -> float:
    """The hypervolume of what is trained, from its cells."""
    volume = loss_bound - cells.levels
    for ends in reversed(cells.edges):
        widths = np.array([0.0, *(high - low for low, high in pairwise(ends))])
        volume = volume @ widths
    return float(volume)


def _edges(costs: Array, bound: float, most: int) -> Array:
    """The ends of the intervals of one cost; where there are too many, some are left out."""
    inner = np.unique(costs)
    if len(inner) + 1 > most:
        inner = inner[np.unique(np.linspace(0, len(inner) - 1, most - 1).round().astype(int))]
    return np.append(inner, bound)


def _overlaps(costs: Array, edges: list[Array]) -> Array:
    """The volume of each cell that is no cheaper than each candidate, (N, cells)."""
    volume = np.ones((len(costs), 1))
    for axis, ends in enumerate(edges):
        begins = np.append(-np.inf, ends[:-1])
        lengths = np.maximum(0.0, ends - np.maximum(begins, costs[:, axis, None]))  # (N, intervals)
        volume = (volume[:, :, None] * lengths[:, None, :]).reshape(len(costs), -1)
    return volume
