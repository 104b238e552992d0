"""Work out what depends on few values once for all points that agree in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from registry.costing.view import PointView

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Grouping:
    """Points, by the values of their keys.

    Args:
        places: Which value each point has, by key; keys that have one value for all are left out.
        view: The point with a number, as formulas see it.
    """

    def __init__(self, places: Mapping[str, NDArray[np.int64]], view: Callable[[int], PointView]) -> None:
        self.places, self.view = places, view

    def evaluate(
        self, function: Callable[[PointView], Any], points: NDArray[np.int64]
    ) -> tuple[list[Any], NDArray[np.int64]]:
        """Results of `function`, and which of them each of `points` has.

        A result holds for all points with the same values of the keys that were read for it: nothing else can
        have made a difference. Groups are split by further keys until that is so.

        Args:
            function: Gives the same for the same point, and reads it through its view.
        """
        import numpy as np

        results: list[Any] = []
        which = np.full(int(points.max(initial=-1)) + 1, -1, dtype=np.int64)
        pending: list[tuple[NDArray[np.int64], tuple[str, ...]]] = [(points, ())] if len(points) else []
        while pending:
            some, keys = pending.pop()
            for group in self._split(some, keys):
                view = self.view(int(group[0]))
                result = function(view)
                further = sorted((view.reads() & self.places.keys()) - set(keys)) if len(group) > 1 else []
                if further:
                    pending.append((group, (*keys, *further)))
                else:
                    which[group] = len(results)
                    results.append(result)
        return results, which[points]

    def _split(self, points: NDArray[np.int64], keys: Sequence[str]) -> list[NDArray[np.int64]]:
        """The points that agree in `keys`, together."""
        import numpy as np

        if not keys or len(points) == 1:
            return [points]
        group = np.zeros(len(points), dtype=np.int64)
        for key in keys:
            own = self.places[key][points]
            _, group = np.unique(group * (int(own.max()) + 1) + own, return_inverse=True)
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order])) + 1
        return np.split(points[order], starts)
