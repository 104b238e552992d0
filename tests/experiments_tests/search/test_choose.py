"""Which candidate is trained next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.search.cost_aware import choose
from experiments.search.cost_aware.choose import (
    STARTS,
    Candidates,
    Chooser,
    Known,
    Stopped,
    _weigh,
    fitted_count,
)
from experiments.search.cost_aware.improvement import (
    build_cells,
    expected_hypervolume_improvement,
    hypervolume,
)


def grid(side: int = 12) -> Candidates:
    """Widths by depths; costs grow with both, and so does the price of training."""
    width, depth = (axis.ravel() for axis in np.meshgrid(*[np.linspace(0, 1, side)] * 2))
    cost = (width + depth) / 2
    return Candidates(np.column_stack((width, depth)), cost[:, None], 10.0**cost)


def loss_of(candidates: Candidates) -> np.ndarray:
    """Width pays, depth up to a half only: so the front is where the depth is near it."""
    width, depth = candidates.features.T
    losses: np.ndarray = 4 - width - 1.5 * depth * (1 - depth)
    return losses


def run(candidates: Candidates, losses: np.ndarray, trials: int, seed: int = 0) -> list[int]:
    chooser, rows = Chooser(candidates), list[int]()
    for number in range(trials):
        known = Known(rows, losses[rows], np.zeros((len(rows), 0)), (), frozenset(rows))
        choice = chooser.choose(known, np.random.default_rng([seed, number]))
        assert choice is not None
        rows.append(choice.row)
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_most_of_the_front_is_found_with_few_trainings(seed: int) -> None:
    candidates = grid()
    losses = loss_of(candidates)
    rows = run(candidates, losses, 20, seed)
    bound, worst = np.ones(1), float(losses.max())
    found = hypervolume(losses[rows], candidates.costs[rows], worst, bound)
    assert found > 0.95 * hypervolume(losses, candidates.costs, worst, bound)


def test_nothing_is_chosen_twice_and_the_end_is_told() -> None:
    candidates = grid(4)
    rows = run(candidates, loss_of(candidates), 16)
    assert sorted(rows) == list(range(16))
    known = Known(rows, loss_of(candidates)[rows], np.zeros((16, 0)), (), frozenset(rows))
    assert Chooser(candidates).choose(known, np.random.default_rng(0)) is None


def test_what_is_being_trained_is_believed_to_turn_out_as_predicted() -> None:
    candidates = grid()
    losses = loss_of(candidates)
    rows = run(candidates, losses, 8)
    batch = list[int]()
    for number in range(5):
        taken = frozenset(rows + batch)
        known = Known(rows, losses[rows], np.zeros((8, 0)), batch, taken)
        choice = Chooser(candidates).choose(known, np.random.default_rng(number))
        assert choice is not None
        batch.append(choice.row)
    assert len({*rows, *batch}) == 13
    # Neighbours would gain nothing beside each other.
    apart = candidates.features[batch][:, None] - candidates.features[batch]
    distances = np.sqrt((apart**2).sum(axis=-1))[np.triu_indices(5, 1)]
    assert np.median(distances) > 0.2


def test_the_same_gain_is_bought_where_it_is_cheaper() -> None:
    features = np.linspace(0, 1, 40)[:, None]
    losses = 1 + 0.1 * np.sin(20 * features[:, 0])
    for dear in (slice(0, 20), slice(20, 40)):
        flops = np.ones(40)
        flops[dear] = 1e6
        rows = run(Candidates(features, np.zeros((40, 0)), flops), losses, 8)
        assert not [row for row in rows[STARTS:] if flops[row] > 1]


def test_an_objective_that_only_training_tells_is_predicted() -> None:
    candidates = grid()
    timed = Candidates(candidates.features, np.zeros((len(candidates), 0)), candidates.train_flops)
    losses, seconds = loss_of(candidates), candidates.costs
    chooser, rows = Chooser(timed), list[int]()
    for number in range(25):
        known = Known(rows, losses[rows], seconds[rows], (), frozenset(rows))
        choice = chooser.choose(known, np.random.default_rng(number))
        assert choice is not None
        rows.append(choice.row)
    found = hypervolume(losses[rows], seconds[rows], 4.0, np.ones(1))
    assert found > 0.93 * hypervolume(losses, seconds, 4.0, np.ones(1))


def test_a_choice_depends_on_what_is_known_alone() -> None:
    candidates = grid()
    losses = loss_of(candidates)
    rows = run(candidates, losses, 15)
    known = Known(rows[:14], losses[rows[:14]], np.zeros((14, 0)), (), frozenset(rows[:14]))
    choice = Chooser(candidates).choose(known, np.random.default_rng([0, 14]))  # as if it were continued
    assert choice is not None
    assert choice.row == rows[14]


@given(st.integers(1, 5000))
@settings(deadline=None)
def test_a_kernel_is_fitted_anew_when_a_tenth_more_is_known(known: int) -> None:
    count = fitted_count(known)
    assert known / 1.1 - 1 < count <= known
    assert fitted_count(count) == count


def test_kernels_are_fitted_at() -> None:
    counts = [fitted_count(known) for known in range(1, 45)]
    assert counts == [*range(1, 31), *[30] * 2, *[33] * 3, *[36] * 3, *[39] * 3, *[42] * 3]


def test_a_stopped_candidate_can_be_taken_up_for_what_is_left_of_its_price() -> None:
    # Two like candidates, each expected to be the best; one has paid for three quarters already.
    features = np.array([[0.0], [0.2], [0.4], [0.6], [0.8], [1.0], [1.0]])
    candidates = Candidates(features, features, np.full(7, 100.0))
    rows, losses = [0, 1, 2, 3, 4], np.array([4.0, 3.8, 3.6, 3.4, 3.2])
    stopped = Stopped([6], np.array([3.0]), np.array([0.05]), np.array([0.75]))
    known = Known(rows, losses, np.zeros((5, 0)), (), frozenset(rows), stopped)
    choice = Chooser(candidates).choose(known, np.random.default_rng(0))
    assert choice is not None
    assert choice.row == 6
    assert choice.left is not None
    assert choice.left > 0


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_what_is_not_weighed_would_not_have_been_chosen(seed: int) -> None:
    chance = np.random.default_rng(seed)
    count = 300
    mean, deviation = chance.normal(size=count), chance.uniform(0.01, 0.5, count)
    costs, prices = chance.uniform(size=(count, 2)), chance.uniform(1, 10, count)
    trained = chance.uniform(-1, 1, 12)
    cells = build_cells(trained, chance.uniform(size=(12, 2)), 1.0, np.ones(2))
    every = expected_hypervolume_improvement(mean, deviation, costs, cells)
    weighed = _weigh(mean, deviation, costs, cells, prices)
    assert np.count_nonzero(weighed) < count
    assert weighed.max() == pytest.approx(every.max())
    assert np.argmax(weighed / prices) == np.argmax(every / prices)


def test_of_too_many_candidates_a_part_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "MOST_COMPARED", 2000)
    candidates = grid()
    losses = loss_of(candidates)
    rows = run(candidates, losses, 40)
    assert len(set(rows)) == 40
    bound, worst = np.ones(1), float(losses.max())
    found = hypervolume(losses[rows], candidates.costs[rows], worst, bound)
    assert found > 0.95 * hypervolume(losses, candidates.costs, worst, bound)
    # With more known than are compared, chance decides.
    monkeypatch.setattr(choose, "MOST_COMPARED", 40)
    known = Known(rows, losses[rows], np.zeros((40, 0)), (), frozenset(rows))
    choice = Chooser(candidates).choose(known, np.random.default_rng(0))
    assert choice is not None
    assert choice.row not in rows
    assert choice.gain is None


def test_first_trials_lie_far_apart_for_their_price() -> None:
    features = np.array([[0.0], [0.5], [1.0]])
    known = Known([], np.zeros(0), np.zeros((0, 0)), (), frozenset({0}))
    for price, farthest in ((1.0, 2), (3.9, 2), (4.1, 1), (100.0, 1)):  # twice as far is worth four times
        candidates = Candidates(features, features, np.array([1.0, 1.0, price]))
        choice = Chooser(candidates, cost_weight=0.5).choose(known, np.random.default_rng(0))
        assert choice is not None
        assert choice.row == farthest
