"""How long a search takes, from points that are trained for a moment."""

import math

import pytest
from small_audits import declare

from experiments.audit.content import Timing
from experiments.audit.run import run_audit
from experiments.audit.timing import LEAST_SPREAD, _total, _trials, fit_speed
from experiments.point_table import build_point_table


def timing(flops: float, seconds: float) -> Timing:
    return Timing("", flops, 1.0, 10, seconds, 1.0)


def test_speed_is_a_line_over_flops():
    # 2 ms and 3 ns a thousand FLOPs
    base, slope, spread = fit_speed([timing(flops, 0.002 + 3e-12 * flops) for flops in (1e8, 1e9, 4e9)])
    assert base == pytest.approx(0.002)
    assert slope == pytest.approx(3e-12)
    assert spread == LEAST_SPREAD


def test_one_point_tells_seconds_for_its_flops():
    base, slope, _ = fit_speed([timing(1e9, 0.01)])
    assert (base, slope) == (0.0, pytest.approx(1e-11))


def test_neither_part_of_a_step_takes_less_than_nothing():
    # Faster with more FLOPs: the line would fall. Steeper than in proportion: it would begin below 0.
    falls, below = ([timing(1e9, 0.02), timing(4e9, late)] for late in (0.01, 0.2))
    base, slope, spread = fit_speed(falls)
    assert (base > 0, slope) == (True, 0.0)
    assert spread > LEAST_SPREAD
    base, slope, _ = fit_speed(below)
    assert (base, slope > 0) == (0.0, True)


def test_a_sum_over_drawn_trials_and_seeds():
    import numpy as np

    each = np.array([10.0, 20.0, 30.0])
    seconds, low, high = _total(each, trials=4, seeds=2, spread=0.1, drawn=True)
    assert seconds == 160.0  # 4 x 2 x 20
    luck = 1.96 * math.sqrt(200 / 3) * 2 * 2
    assert low == pytest.approx((160 - luck) / 1.196)
    assert high == pytest.approx((160 + luck) * 1.196)
    seconds, low, high = _total(each, trials=3, seeds=1, spread=0.1, drawn=False)
    assert (seconds, low, high) == (60.0, pytest.approx(60 / 1.196), pytest.approx(60 * 1.196))


def test_a_limit_of_flops_tells_how_many_trainings_there_are(text):
    space = {"n_layers": {"int": {"low": 1, "high": 4}}, "n_heads": 2}
    table = build_point_table(declare(space, data=text), 10, 0)
    mean = table.table["train_flops"].mean()
    limited = declare(space, data=text, search={"flops": 2.5 * mean})
    assert _trials(limited, table, 4) == 3
    assert _trials(declare(space, data=text, search={"flops": 1e3 * mean}), table, 4) == 4


@pytest.mark.slow
def test_points_are_tried_from_the_cheapest_to_the_dearest(text):
    space = {"n_layers": {"int": {"low": 1, "high": 4}}, "emb_dim": {"choice": [8, 64]}, "n_heads": 2}
    audit = run_audit(declare(space, data=text, seeds=[0, 1], search={"trials": 3}))
    time = audit.time
    assert time is not None
    assert time.trainings == 6
    assert len(time.timings) == 5
    flops = [one.step_flops for one in time.timings]
    assert flops == sorted(flops)
    assert time.timings[0].name == "emb_dim=8 n_layers=1"
    assert all(one.steps > 0 and one.seconds_per_step > 0 for one in time.timings)
    assert 0 < time.low < time.seconds < time.high


@pytest.mark.slow
def test_what_would_take_too_long_is_not_tried(text):
    space = {"n_layers": {"int": {"low": 1, "high": 4}}, "n_heads": 2}
    audit = run_audit(declare(space, data=text), measure_seconds=0.0)
    assert audit.time is not None
    assert len(audit.time.timings) == 1
    assert any("3 dearest points were not tried" in remark for remark in audit.time.remarks)


def test_nothing_is_tried_where_nothing_can_be_trained(text):
    audit = run_audit(declare({"n_heads": {"choice": [5, 7]}}, data=text))
    assert audit.time is None
