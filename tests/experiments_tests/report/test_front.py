import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_runs import make_record, mixed_records

from experiments.front import is_on_front
from experiments.tables import trials_table

NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.sampled_from([math.nan, math.inf, -math.inf]))


@st.composite
def candidates(draw: st.DrawFn) -> tuple[list[list[float]], list[str]]:
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), max_size=12))
    return rows, draw(st.lists(st.sampled_from(["minimize", "maximize"]), min_size=width, max_size=width))


def dominates(one: list[float], other: list[float], directions: list[str]) -> bool:
    signs = [1 if direction == "minimize" else -1 for direction in directions]
    pairs = [(a * sign, b * sign) for a, b, sign in zip(one, other, signs, strict=True)]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


@given(candidates())
def test_the_front_is_what_brute_force_finds(case: tuple[list[list[float]], list[str]]) -> None:
    rows, directions = case
    usable = [row for row in rows if all(math.isfinite(value) for value in row)]
    expected = [
        all(math.isfinite(value) for value in row)
        and not any(dominates(other, row, directions) for other in usable)
        for row in rows
    ]
    assert is_on_front(rows, directions).tolist() == expected


def test_a_front_by_hand() -> None:
    values: list[list[float | None]] = [
        [3.0, 10],
        [2.0, 20],
        [2.5, 20],
        [2.0, 20],
        [1.0, None],
        [float("inf"), 1],
    ]
    assert is_on_front(values, ["minimize", "minimize"]).tolist() == [True, True, False, True, False, False]
    assert is_on_front(values[:4], ["minimize", "maximize"]).tolist() == [False, True, False, True]


def test_nothing_has_no_front() -> None:
    assert is_on_front([], ["minimize", "maximize"]).tolist() == []
    assert is_on_front(np.empty((0, 2)), ["minimize", "minimize"]).tolist() == []


def test_a_wrong_table_or_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="a column a direction, got shape"):
        is_on_front([[1.0, 2.0]], ["minimize"])
    with pytest.raises(ValueError, match="`minimize` or `maximize`, got `down`"):
        is_on_front([[1.0]], ["down"])


def test_only_complete_rows_are_on_the_front() -> None:
    table = trials_table(mixed_records())
    assert table["on_front"].tolist() == [True, False, True, False, False, False]


def test_seeds_share_the_fate_of_their_mean() -> None:
    # Seed 1 of the second architecture is the best of all, its mean is not.
    records = [
        make_record(0, 3.0, seed=1),
        make_record(0, 3.2, seed=2),
        make_record(1, 2.9, seed=1),
        make_record(1, 3.7, seed=2),
    ]
    assert trials_table(records)["on_front"].tolist() == [True, True, False, False]
