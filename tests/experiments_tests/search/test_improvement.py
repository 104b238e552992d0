"""The expected improvement of the hypervolume, against integrals and another library's hypervolume."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from optuna._hypervolume import compute_hypervolume
from scipy.integrate import quad
from scipy.stats import norm

from experiments.search.cost_aware.improvement import (
    build_cells,
    expected_hypervolume_improvement,
    expected_improvement,
    hypervolume,
    most_improvement,
)

Array = NDArray[np.float64]
LOSS_BOUND = 1.0
numbers = st.floats(-0.2, 1.2).map(lambda number: round(number, 2))  # ties too, and some beyond the bound


def trained(dimensions: int) -> st.SearchStrategy[Array]:
    return st.lists(st.tuples(*[numbers] * (1 + dimensions)), max_size=6).map(
        lambda rows: np.array(rows, dtype=float).reshape(len(rows), 1 + dimensions)
    )


def volume_of(points: Array) -> float:
    """By Optuna, of the points within all bounds."""
    inside = points[(points < 1.0).all(axis=1)]
    return compute_hypervolume(inside, np.ones(points.shape[1])) if len(inside) else 0.0


@pytest.mark.parametrize("dimensions", [1, 2])
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_the_hypervolume_is_that_of_optuna(dimensions: int, data: st.DataObject) -> None:
    points = data.draw(trained(dimensions))
    own = hypervolume(points[:, 0], points[:, 1:], LOSS_BOUND, np.ones(dimensions))
    assert own == pytest.approx(volume_of(points), abs=1e-9)


@pytest.mark.parametrize("dimensions", [1, 2])
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_without_uncertainty_it_is_what_the_hypervolume_grows_by(
    dimensions: int, data: st.DataObject
) -> None:
    points = data.draw(trained(dimensions))
    one = np.array([data.draw(st.tuples(*[numbers] * (1 + dimensions)))])
    cells = build_cells(points[:, 0], points[:, 1:], LOSS_BOUND, np.ones(dimensions))
    improved = expected_hypervolume_improvement(one[:, 0], np.zeros(1), one[:, 1:], cells)
    grown = volume_of(np.vstack((points, one))) - volume_of(points)
    assert improved[0] == pytest.approx(grown, abs=1e-9)


@pytest.mark.parametrize("cost", [[0.1], [0.5], [0.9], [0.2, 0.7], [0.6, 0.1]])
def test_with_uncertainty_it_is_the_integral_over_all_losses(cost: list[float]) -> None:
    points = np.array([[0.8, 0.1, 0.3], [0.5, 0.4, 0.5], [0.3, 0.7, 0.2], [0.2, 0.9, 0.9]])
    points = points[:, : 1 + len(cost)]
    mean, deviation = 0.45, 0.2

    def weighed(loss: float) -> float:
        grown = volume_of(np.vstack((points, [loss, *cost]))) - volume_of(points)
        return float(grown * norm.pdf(loss, mean, deviation))

    wanted, _ = quad(weighed, mean - 8 * deviation, LOSS_BOUND, points=list(points[:, 0]), limit=200)
    cells = build_cells(points[:, 0], points[:, 1:], LOSS_BOUND, np.ones(len(cost)))
    improved = expected_hypervolume_improvement(
        np.array([mean]), np.array([deviation]), np.array([cost]), cells
    )
    assert improved[0] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("dimensions", [0, 1, 2, 3])
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_it_is_never_more_than_the_most_that_it_can_be(dimensions: int, data: st.DataObject) -> None:
    points = data.draw(trained(dimensions))
    one = np.array([data.draw(st.tuples(*[numbers] * (1 + dimensions)))])
    deviation = np.array([data.draw(st.floats(0, 1))])
    cells = build_cells(points[:, 0], points[:, 1:], LOSS_BOUND, np.ones(dimensions))
    improved = expected_hypervolume_improvement(one[:, 0], deviation, one[:, 1:], cells)
    most = most_improvement(one[:, 0], deviation, one[:, 1:], cells)
    assert improved[0] <= most[0] * (1 + 1e-9) + 1e-12
    if not len(points):  # then there is one cell
        assert improved[0] == pytest.approx(most[0])


def test_without_costs_it_is_the_expected_improvement() -> None:
    cells = build_cells(np.array([0.6, 0.4]), np.zeros((2, 0)), LOSS_BOUND, np.zeros(0))
    improved = expected_hypervolume_improvement(np.array([0.5]), np.array([0.1]), np.zeros((1, 0)), cells)
    # One standard deviation above the best: 0.1 · (φ(1) − 1 + Φ(1)) = 0.1 · 0.0833.
    assert improved[0] == pytest.approx(0.00833155, rel=1e-5)
    assert expected_improvement(np.array([0.5]), np.array([0.0]), 0.4)[0] == 0.0
    assert expected_improvement(np.array([0.3]), np.array([0.0]), 0.4)[0] == pytest.approx(0.1)


def test_three_costs_come_near() -> None:
    chance = np.random.default_rng(0)
    points = chance.uniform(0, 1, (40, 4))
    exact = volume_of(points)
    # Where cells are merged, a variant counts from the next edge on: never too much.
    own = hypervolume(points[:, 0], points[:, 1:], LOSS_BOUND, np.ones(3))
    assert exact * 0.9 < own <= exact + 1e-12


def test_cells_have_the_best_loss_that_is_known_for_their_costs() -> None:
    losses = np.array([0.9, 0.5, 0.7])
    costs = np.array([[0.1, 0.5], [0.6, 0.6], [0.4, 0.2]])
    cells = build_cells(losses, costs, LOSS_BOUND, np.ones(2))
    assert [list(ends) for ends in cells.edges] == [[0.1, 0.4, 0.6, 1.0], [0.2, 0.5, 0.6, 1.0]]
    begins = [[-np.inf, *list(ends)[:-1]] for ends in cells.edges]
    for place in product(range(4), range(4)):
        corner = [begins[axis][place[axis]] for axis in range(2)]
        reached = [loss for loss, cost in zip(losses, costs, strict=True) if (cost <= corner).all()]
        assert cells.levels[place] == min([LOSS_BOUND, *reached])
