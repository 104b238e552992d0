"""How early the ranking shows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_runs import make_record

from experiments.rank_table import kendall_tau, rank_stability_table, tau_interval
from experiments.record import CurvePoint, TrialRecord


def make_ranked(trial: int, losses: list[float], steps: int = 4, **changes: object) -> TrialRecord:
    """A training whose curve has these losses, evenly over its steps."""
    curve = [
        CurvePoint(
            step=-(-steps * place // len(losses)),
            tokens=place * 100,
            train_flops=place * 10,
            seconds=place,
            train_loss=None,
            validation_loss=loss,
        )
        for place, loss in enumerate(losses, 1)
    ]
    return make_record(trial, losses[-1], steps=steps, curve=curve, **changes)


# By hand: of the six pairs, at a half one is out of order (3.0 and 3.1), at a quarter three are.
FOUR = [
    make_ranked(0, [6.0, 5.0, 4.0, 3.0]),
    make_ranked(1, [5.0, 4.9, 4.1, 3.1]),
    make_ranked(2, [5.5, 5.2, 4.2, 3.2]),
    make_ranked(3, [5.8, 5.3, 4.3, 3.3]),
]


def test_tau_by_hand() -> None:
    table = rank_stability_table(FOUR)
    assert table["share"].tolist() == [0.25, 0.5, 0.75]
    assert table["architectures"].tolist() == [4, 4, 4]
    assert table["tau"].tolist() == pytest.approx([(3 - 3) / 6, (5 - 1) / 6, 1.0])
    assert table["best_fifth"].tolist() == [0.0, 0.0, 1.0]
    assert table["tau_low"].isna().all()  # of four, nothing can be said


def test_ties_count_for_neither_side() -> None:
    # Kendall 1945: 4 pairs in order, 1 out of order, 1 tied in the first: 3 / sqrt(5 * 6).
    assert kendall_tau([1, 2, 2, 3], [2, 1, 3, 4]) == pytest.approx(3 / math.sqrt(30))
    assert math.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))


def test_seeds_are_averaged_before_ranking() -> None:
    # Seed by seed, trial 1 is first once; in the mean it is second at either point.
    records = [
        make_ranked(0, [5.0, 3.0], seed=1),
        make_ranked(0, [5.2, 3.2], seed=2),
        make_ranked(1, [4.9, 2.9], seed=1),
        make_ranked(1, [5.7, 3.7], seed=2),
        make_ranked(2, [6.0, 4.0], seed=1),
    ]
    table = rank_stability_table(records)
    assert table["tau"].tolist() == [1.0]


def test_confirmed_architectures_are_ranked_by_their_confirmations() -> None:
    records = [make_ranked(trial, [9.0 - trial, 3.0 + trial]) for trial in range(3)]
    assert rank_stability_table(records)["tau"].tolist() == [-1.0]
    again = [make_ranked(trial, [5.0 + trial, 3.0 + trial], seed=7, purpose="confirm") for trial in range(3)]
    assert rank_stability_table([*records, *again])["tau"].tolist() == [1.0]


def test_budgets_of_different_steps_are_compared_at_equal_shares() -> None:
    # 10 of 37 steps are 27 %, as near to a quarter as whole steps come.
    records = [
        make_ranked(trial, [5.0 + trial, 4, 4, 3.0 + trial], steps)
        for trial, steps in enumerate((4, 37, 400))
    ]
    table = rank_stability_table(records)
    assert table["share"].tolist() == [0.25, 0.5, 0.75]
    # With three steps there is no point at a quarter, nor at a half.
    assert rank_stability_table([*records, make_ranked(3, [6, 5, 4], 3)])["share"].tolist() == []


def test_two_have_no_ranking() -> None:
    assert rank_stability_table(FOUR[:2]).empty
    assert rank_stability_table([]).dtypes.equals(rank_stability_table(FOUR).dtypes)
    assert rank_stability_table([make_record(trial, 3.0, curve=[]) for trial in range(4)]).empty


@given(st.integers(5, 60), st.data())
def test_an_interval_holds_its_tau(count: int, data: st.DataObject) -> None:
    pairs = count * (count - 1) // 2
    tau = (pairs - 2 * data.draw(st.integers(0, pairs))) / pairs
    low, high = tau_interval(tau, count)
    assert -1 <= low < tau + 1e-12
    assert tau - 1e-12 < high <= 1
    assert tau_interval(-tau, count) == pytest.approx((-high, -low))
    more = tau_interval(tau, 4 * count)
    assert more[1] - more[0] < high - low


def test_intervals_hold_the_true_tau_as_often_as_they_say() -> None:
    # Of two normal variables with correlation r, tau is 2/pi arcsin r.
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        one, noise = generator.normal(size=(2, 20))
        tau = kendall_tau(one, 0.8 * one + 0.6 * noise)
        low, high = tau_interval(tau, 20)
        held += low <= 2 / math.pi * math.asin(0.8) <= high
    assert 0.92 <= held / 400 <= 0.99
