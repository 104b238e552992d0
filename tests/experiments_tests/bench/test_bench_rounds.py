import pytest

from experiments.bench.contenders import OURS, Contender, find_settings, list_contenders
from experiments.bench.peers import PEERS
from experiments.bench.result import Found, Products, ShapeResult
from experiments.bench.rounds import Spread, group_by_memory, round_ratios, turn_order
from experiments.bench.shapes import SHAPES


def found(library, setting, rounds, *, memory_bytes=None, float32=True, losses=()):
    made = Found(Contender(library, setting), "", float32, memory_bytes=memory_bytes)
    made.tokens_per_second.update(rounds)
    made.losses += losses
    return made


def test_each_round_begins_with_the_next_one():
    assert [turn_order("ABC", number) for number in range(4)] == [
        list("ABC"),
        list("BCA"),
        list("CAB"),
        list("ABC"),
    ]


def test_ratios_are_of_one_round_each():
    # A machine that slows down to half changes both speeds, and no ratio.
    ours, theirs = {0: 300.0, 1: 150.0, 2: 330.0}, {0: 100.0, 1: 50.0, 2: 100.0}
    assert round_ratios(ours, theirs) == Spread(3.0, 3.0, 3.3)
    # Round 2 is missing there: of it there is no ratio.
    assert round_ratios(ours, {0: 100.0, 1: 75.0}) == Spread(2.5, 2.0, 3.0)
    assert round_ratios(ours, {}) is None


def test_the_fastest_setting_of_a_peer_is_its_best():
    result = ShapeResult(
        SHAPES["tiny"],
        10,
        [
            found(OURS, "float32", {0: 200.0, 1: 210.0}, memory_bytes=30),
            found(OURS, "best", {0: 400.0, 1: 420.0}, memory_bytes=20, float32=False),
            found("litgpt", "as it comes", {0: 100.0, 1: 100.0}, memory_bytes=40),
            found("litgpt", "autocast", {0: 200.0, 1: 140.0}, memory_bytes=50, float32=False),
            found("transformers", "autocast", {}, float32=False),
        ],
        Products(),
        {},
    )
    assert result.peers() == ["litgpt", "transformers"]
    assert result.fastest("transformers") is None
    best, alike = result.fastest("litgpt"), result.fastest("litgpt", in_float32=True)
    assert best is not None
    assert best.contender.setting == "autocast"
    assert result.speed_over(best) == Spread(2.5, 2.0, 3.0)  # 400/200 and 420/140
    assert alike is not None
    assert alike.contender.setting == "as it comes"
    assert result.speed_over(alike, in_float32=True) == Spread(2.05, 2.0, 2.1)  # 200/100 and 210/100
    assert [result.memory_ratio(one) for one in result.found] == [0.75, 0.5, 1.0, 1.25, None]


def test_the_share_of_the_peak_is_of_the_precision_and_the_round():
    products = Products(float32={0: 1e12, 1: 2e12}, bfloat16={0: 4e12, 1: 4e12})
    rounds = {0: 1e5, 1: 1e5}
    # 10⁵ tokens a second of 10⁶ FLOPs are 10¹¹ FLOP/s.
    assert products.share(found(OURS, "float32", rounds), 1e6) == Spread(pytest.approx(0.075), 0.05, 0.1)
    assert products.share(found(OURS, "best", rounds, float32=False), 1e6) == Spread(0.025, 0.025, 0.025)


def test_the_loss_is_the_mean_of_the_last_ten_steps():
    assert found(OURS, "best", {}, losses=[9.0, *[1.0] * 5, *[2.0] * 5]).loss == 1.5
    assert found(OURS, "best", {}).loss is None


def test_groups_fit_into_memory_with_ours_in_each():
    needs = dict.fromkeys("oABCD", 3)
    assert list(group_by_memory(needs, ["o"], 10)) == [["o", "A", "B"], ["o", "C", "D"]]
    assert list(group_by_memory(needs, ["o"], 100)) == [["o", "A", "B", "C", "D"]]
    # Too little for any: they still run, one beside ours.
    assert list(group_by_memory(needs, ["o"], 1)) == [["o", "A"], ["o", "B"], ["o", "C"], ["o", "D"]]
    assert list(group_by_memory({"o": 3}, ["o"], 10)) == [["o"]]


def test_settings_are_of_ours_or_of_peers():
    settings = find_settings(["best", "as-it-comes", "bfloat16+compile", "autocast+compile"])
    contenders = list_contenders([PEERS["litgpt"]], settings)
    assert [one.label for one in contenders] == [
        "gpt-zoo, best",
        "gpt-zoo, bfloat16+compile",
        "litgpt, as it comes",
        "litgpt, autocast+compile",
    ]
    best, compiled = (one.declare(batch_size=3) for one in contenders[:2])
    assert (best.batch_size, best.precision, best.compile) == (3, "auto", "auto")
    assert (compiled.batch_size, compiled.precision, compiled.compile) == (3, "bfloat16", "full")
    with pytest.raises(ValueError, match="no setting is called `bets`; did you mean `best`"):
        find_settings(["bets"])
    with pytest.raises(ValueError, match="got only autocast; add one of best, float32"):
        list_contenders([PEERS["litgpt"]], ["autocast"])
