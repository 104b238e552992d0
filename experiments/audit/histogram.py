"""How a cost is spread over points: bins of equal ratio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from experiments.audit.content import Bin, Histogram
from experiments.objectives import find_objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 12


def histogram_of(name: str, values: NDArray[np.float64], feasible: NDArray[np.bool_]) -> Histogram:
    """The histogram of a recorded number, which is above 0; without bins where it is missing everywhere.

    Args:
        feasible: Which of the points keep all constraints.
    """
    import numpy as np

    told = np.isfinite(values) & (values > 0)
    values, feasible = values[told], feasible[told]
    label = find_objective(name).label
    if not len(values):
        return Histogram(name, label, ())
    edges = _edges(float(values.min()), float(values.max()))
    good = np.histogram(values[feasible], edges)[0]
    bad = np.histogram(values[~feasible], edges)[0]
    bins = (
        Bin(low, high, int(kept), int(broken))
        for low, high, kept, broken in zip(edges[:-1], edges[1:], good, bad, strict=True)
    )
    return Histogram(name, label, tuple(bins))


def _edges(low: float, high: float) -> list[float]:
    """From the smallest number to the largest, which is in the last bin."""
    if low == high:
        return [low, math.nextafter(high, math.inf)]
    step = (math.log(high) - math.log(low)) / BINS
    return [low, *(low * math.exp(step * place) for place in range(1, BINS)), high]
