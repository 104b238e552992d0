"""When a search is at its end."""

from typing import Any

from experiments.record import Status, TrialRecord
from experiments.search.limits import Limits, find_limits
from experiments.search_config import DEFAULT_TRIALS, SearchConfig
from experiments.spending import flops_spent, seconds_spent


def record(trial: int, flops: float, **fields: Any) -> TrialRecord:
    told = {"status": Status.COMPLETE, "train_flops": flops, "wall_seconds": 10.0, "steps": 1, **fields}
    return TrialRecord(trial=trial, variant="v", seed=0, config={}, config_hash=str(trial), **told)


RECORDS = [
    record(0, 100),
    record(1, 30, status=Status.STOPPED),
    record(2, 100, status=Status.DUPLICATE),
    record(3, 500, status=Status.INFEASIBLE, steps=None),
    record(4, 120, continues=1),
]


def test_what_was_taken_up_is_counted_once() -> None:
    assert flops_spent(RECORDS) == 100 + 120
    assert flops_spent(RECORDS[:2]) == 100 + 30
    assert seconds_spent(RECORDS) == 30  # each process took its own


def test_each_limit_ends_a_search() -> None:
    limits = Limits(None, 200.0, None, None, 1)
    assert limits.reached(2, RECORDS[:2], []) == ""
    assert limits.reached(3, RECORDS, []).endswith("are spent; 3 trials are trained")
    assert limits.share(3, RECORDS[:2]) == 130 / 200
    timed = Limits(None, None, 20.0, None, 2)
    assert timed.reached(3, RECORDS, []) == ""  # 30 s of two at once are 15 s
    assert timed.share(3, RECORDS) == 0.75
    assert Limits(None, None, 14.0, None, 2).reached(3, RECORDS, []).startswith("15.0 s of 14.0 s are over")


def test_gain_must_be_small_three_times_in_a_row() -> None:
    limits = Limits(None, None, None, 0.01, 1)
    assert limits.reached(9, [], [0.001, 0.002]) == ""
    assert limits.reached(9, [], [0.001, 0.02, 0.001]) == ""
    assert "enlarge the front by 0.20% of its hypervolume or less" in limits.reached(
        9, [], [0.001, 0.002, 0.001]
    )
    assert limits.share(9, []) is None


def test_a_number_of_trials_is_meant_only_where_nothing_else_ends_a_search() -> None:
    assert find_limits(SearchConfig(), 100, 1).trials == DEFAULT_TRIALS
    assert find_limits(SearchConfig(flops=1e12), 100, 1).trials is None
    assert find_limits(SearchConfig(sampler="grid"), 100, 1).trials == 100
    both = find_limits(SearchConfig(trials=5, flops=1000.0), 100, 1)
    assert both.share(1, RECORDS[:2]) == 0.2
