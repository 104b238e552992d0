"""Fresh seeds decide who is on the front."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_runs import make_failure, make_record
from search_runs import TERA, confirm, searched_records

from experiments.record import Status
from experiments.tables import summary_table, trials_table


def test_a_confirmed_architecture_stands_where_its_fresh_seeds_stand() -> None:
    summary = summary_table(searched_records()).set_index("trial")
    assert summary.loc[0, "validation_loss"] == pytest.approx(3.1)
    assert summary.loc[0, "validation_loss_std"] == pytest.approx(0.1)
    assert summary.loc[[0, 1, 2, 3], "searched_loss"].tolist() == pytest.approx([3.0, 3.1, 3.3, 3.15])
    assert summary.loc[[0, 1, 2, 3], "confirmed_loss"].tolist() == pytest.approx([3.1, 3.2, 3.3, 3.16])
    assert summary["n_confirmed"].to_dict() == {0: 3, 1: 3, 2: 3, 3: 3, 8: 0, 9: 0, 10: 0}
    assert summary["n_seeds"].to_dict() == {0: 3, 1: 3, 2: 3, 3: 3, 8: 1, 9: 1, 10: 1}
    assert summary.loc[8, "confirmed_loss"] != summary.loc[8, "confirmed_loss"]


def test_confirming_the_front_changes_it() -> None:
    summary = summary_table(searched_records()).set_index("trial")
    # A check with 3.2 at 1 TFLOP, as good as 3.2 at 2, is on either front.
    assert sorted(summary.index[summary["was_on_front"]]) == [0, 1, 9]
    assert sorted(summary.index[summary["on_front"]]) == [0, 3, 9]


def test_all_complete_rows_of_a_member_are_marked() -> None:
    records = [
        make_record(0, 3.0),
        *confirm(0, [3.2, 3.4]),
        make_record(1, 3.1, 2 * TERA),
        make_record(2, 3.4),
    ]
    # Confirmed at 3.3, the first is still the cheapest, and the second is better now.
    assert trials_table(records)["on_front"].tolist() == [True, True, True, True, False]
    assert trials_table(records)["purpose"].tolist() == ["search", "confirm", "confirm", "search", "search"]


def test_a_confirmation_that_failed_tells_nothing() -> None:
    failed = make_failure(0, Status.DIVERGED, "NaN", seed=2, purpose="confirm")
    (row,) = summary_table([make_record(0, 3.0), failed]).to_dict("records")
    assert (row["validation_loss"], row["n_confirmed"], row["was_on_front"]) == (3.0, 0, True)


@given(st.lists(st.floats(1, 5), min_size=1, max_size=6), st.floats(-0.5, 0.5))
def test_confirmations_that_repeat_the_search_change_nothing(losses: list[float], shift: float) -> None:
    searched = [make_record(trial, loss, trial + 1) for trial, loss in enumerate(losses)]
    repeated = [one for trial, loss in enumerate(losses) for one in confirm(trial, [loss, loss], trial + 1)]
    summary = summary_table([*searched, *repeated])
    assert summary["on_front"].tolist() == summary["was_on_front"].tolist()
    # What happens to all of them alike leaves the front as it was, however lucky the search was.
    shifted = [one.model_copy(update={"validation_loss": one.validation_loss + shift}) for one in repeated]
    after = summary_table([*searched, *shifted])
    assert set(after["trial"][after["on_front"]]) == set(summary["trial"][summary["on_front"]])
    assert (after["confirmed_loss"] - after["searched_loss"]).tolist() == pytest.approx([shift] * len(losses))


def test_an_architecture_is_judged_at_its_best_settings() -> None:
    def at(rate: float) -> dict[str, float]:
        return {"training.learning_rate": rate}

    records = [
        make_record(0, 3.5, config_hash="a", parameters=at(1e-3)),
        make_record(1, 3.1, config_hash="a", parameters=at(3e-3)),
        make_record(2, 3.35, TERA // 2, config_hash="b", parameters=at(1e-3)),
        make_record(3, 3.0, 2 * TERA, config_hash="c", parameters=at(1e-3)),
        *confirm(1, [3.2, 3.4], config_hash="a", parameters=at(3e-3)),
    ]
    summary = summary_table(records).set_index("trial")
    assert list(summary.index) == [3, 1, 2]
    assert summary.loc[1, "searched_loss"] == 3.1
    assert summary.loc[1, "confirmed_loss"] == pytest.approx(3.3)
    assert summary.loc[1, "n_seeds"] == 2
    # Not the training at another learning rate, though it is of the same architecture.
    assert trials_table(records)["on_front"].tolist() == [False, True, True, True, True, True]
