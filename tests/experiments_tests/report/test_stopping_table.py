"""What stopping saved, and where it was wrong."""

import pandas as pd
from report_runs import make_record
from search_runs import TERA, make_stopped, searched_records, taken_up

from experiments.stopping_table import stopping_table
from experiments.tables import trials_table


def test_one_row_a_stopped_training() -> None:
    table = stopping_table(searched_records())
    assert table["name"].tolist() == ["trial 4", "trial 5", "trial 6", "trial 7"]
    assert table["stopped_at"].tolist() == [0.25, 0.5, 0.25, 0.25]
    assert table["stopped_loss"].tolist() == [5.0, 4.9, 5.2, 5.3]
    assert table["predicted_loss"].tolist() == [3.6, 3.5, 3.7, 3.8]
    assert table["continued_by"].tolist() == [8, 9, 10, pd.NA]
    assert table["continued_for"].tolist() == ["check", "check", "search", pd.NA]
    assert table["final_loss"].tolist()[:3] == [3.55, 3.2, 3.65]
    assert table["final_loss"].isna()[3]


def test_a_mistake_reached_the_front_that_the_search_saw() -> None:
    table = stopping_table(searched_records())
    # 3.2 for 1 TFLOP is below the 3.3 of trial 2; the optimistic view was 3.4.
    assert table["is_mistake"].tolist() == [False, True, False, pd.NA]
    assert table["is_miscalibrated"].tolist() == [False, True, False, pd.NA]


def test_losing_to_luck_is_no_mistake() -> None:
    # Trial 0 was lucky: with fresh seeds it is worse than what was stopped, of which no rule could know.
    records = [make_record(0, 3.0), make_record(0, 3.4, seed=2, purpose="confirm")]
    records += [make_stopped(1, 5.0), taken_up(2, 1, 3.2, {}, purpose="check")]
    assert trials_table(records)["on_front"].tolist() == [False, False, False, True]
    assert stopping_table(records)["is_mistake"].tolist() == [False]


def test_what_was_not_trained_is_saved() -> None:
    table = stopping_table(searched_records())
    # A quarter of a TFLOP is spent, so that three are left; those of the others were spent later.
    assert table["flops_saved"].tolist() == [0, 0, 0, 0.75 * TERA]
    assert table["train_flops"].tolist() == [0.25 * TERA, 0.5 * TERA, 0.25 * TERA, 0.25 * TERA]


def test_a_training_that_is_stopped_twice_ends_once() -> None:
    twice = make_stopped(1, 4.0, 0.5, continues=0, config_hash="hash-0")
    records = [make_stopped(0, 5.0), twice, taken_up(2, 1, 3.0, {})]
    records[-1] = records[-1].model_copy(update={"config_hash": "hash-0"})
    table = stopping_table(records)
    assert table["continued_by"].tolist() == [1, 2]
    assert table["final_loss"].tolist() == [3.0, 3.0]
    assert table["is_mistake"].tolist() == [True, True]
    assert stopping_table(records[:2])["flops_saved"].tolist() == [0, 0.5 * TERA]


def test_seeds_are_taken_up_one_by_one() -> None:
    records = [make_stopped(0, 5.0, seed=seed) for seed in (1, 2)]
    records.append(taken_up(1, 0, 3.5, {}, seed=2))
    assert stopping_table(records)["final_loss"].isna().tolist() == [True, False]


def test_without_stopped_trainings_the_columns_stay() -> None:
    empty, full = stopping_table([make_record(0)]), stopping_table(searched_records())
    assert empty.empty
    assert empty.dtypes.equals(full.dtypes)
    assert stopping_table([make_stopped(0, 5.0, curve=[])])["stopped_loss"].isna().all()
