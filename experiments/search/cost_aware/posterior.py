"""What is expected of all candidates, given the losses of some: kept while losses are added one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from experiments.search.cost_aware.surrogate import Surrogate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """The losses of candidates: means and standard deviations, (N,) each."""

    mean: Array
    deviation: Array


class Posterior:
    """Predictions of one surrogate for a fixed set of candidates.

    With L the Cholesky factor of the covariance of the n known losses and S = L⁻¹·k(known, candidates), the
    variances that are left are those of the prior less the column sums of S², and the means (L⁻¹·losses)·S.
    A loss more adds a row to each of L and S, in n·N steps; computed anew they take n²·N. Neither depends on
    the losses, only on whose they are and how unsure: so what is being trained may be believed to turn out
    somehow, and then turns out otherwise.

    Source: Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1.

    Args:
        surrogate: The kernel and the scale of the losses.
        features: Of the candidates, (N, d).
    """

    def __init__(self, surrogate: Surrogate, features: Array) -> None:
        self.surrogate, self.features = surrogate, features
        self._known: list[tuple[int, float]] = []
        self._root = np.zeros((0, 0))
        self._solved = np.zeros((0, len(features)))

    def predict(self, rows: Sequence[int], losses: Array, deviations: Array | None = None) -> Prediction:
        """The losses that candidates would have without noise.

        Args:
            rows: Of candidates with known losses, each once, (n,).
            losses: Theirs, (n,).
            deviations: By which each is uncertain, beyond the noise of a training, (n,).

        Raises:
            numpy.linalg.LinAlgError: two losses are too alike to be told apart.
        """
        unsure = np.zeros(len(rows)) if deviations is None else deviations
        own = [(int(row), float(one)) for row, one in zip(rows, unsure, strict=True)]
        self._keep(own)
        value_of = dict(zip(own, losses, strict=True))
        count, center, scale = len(self._known), self.surrogate.center, self.surrogate.scale
        scaled = (np.array([value_of[one] for one in self._known]) - center) / scale
        weights = solve_triangular(self._root[:count, :count], scaled, lower=True)
        mean = center + scale * (weights @ self._solved[:count])
        return Prediction(mean, scale * np.sqrt(np.maximum(self._variance, 0.0)))

    def _keep(self, own: list[tuple[int, float]]) -> None:
        """Let `_known` be these, in an order in which most of what was solved can stay."""
        wanted = set(own)
        same = next((i for i, one in enumerate(self._known) if one not in wanted), len(self._known))
        if same < len(self._known) or not same:
            del self._known[same:]
            solved = self._solved[:same]
            self._variance = self.surrogate.kernel.variance(self.features)
            self._variance -= np.einsum("ij,ij->j", solved, solved)
        kept = set(self._known)
        if added := [one for one in own if one not in kept]:
            self._add(added)

    def _add(self, added: list[tuple[int, float]]) -> None:
        """The rows that further losses add to L and S."""
        kernel, first = self.surrogate.kernel, len(self._known)
        last = first + len(added)
        rows, unsure = [row for row, _ in added], np.array([one for _, one in added])
        self._reserve(last)
        earlier = self._solved[:first]
        across = earlier[:, rows]  # of L too, since those with a loss are candidates
        new = kernel.between(self.features[rows], self.features) - across.T @ earlier
        own = new[:, rows]
        own[np.diag_indices_from(own)] += kernel.noise + (unsure / self.surrogate.scale) ** 2
        root = np.linalg.cholesky(own)
        solved = solve_triangular(root, new, lower=True, overwrite_b=True)
        self._root[first:last, :first], self._root[first:last, first:last] = across.T, root
        self._solved[first:last] = solved
        self._variance -= np.einsum("ij,ij->j", solved, solved)
        self._known += added

    def _reserve(self, count: int) -> None:
        """Room for so many losses, and half as many more: so that it is seldom made anew."""
        if count > len(self._root):
            room, known = count + count // 2, len(self._known)
            root, solved = np.zeros((room, room)), np.zeros((room, len(self.features)))
            root[:known, :known], solved[:known] = self._root[:known, :known], self._solved[:known]
            self._root, self._solved = root, solved
