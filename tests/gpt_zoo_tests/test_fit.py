"""What fits: the largest count, and not one more."""

from bisect import bisect_right

from config_strategies import gpt_configs
from hypothesis import given
from hypothesis import strategies as st

from gpt_zoo import GPTConfig
from gpt_zoo.cost.fit import (
    Fit,
    PeakBytes,
    fit_batch,
    fit_context,
    inference_peak,
    largest_fit,
    training_peak,
)
from gpt_zoo.cost.memory import TrainingStep
from gpt_zoo.cost.parallel import SHARDINGS, Sharding

STEPS = st.builds(
    TrainingStep,
    precision=st.sampled_from(["float32", "bfloat16", "bfloat16_master", "bfloat16_pure"]),
    optimizer=st.sampled_from(["adamw", "sgd", "muon", "adafactor"]),
    fused_attention=st.booleans(),
    recompute=st.booleans(),
    gradient_accumulation=st.integers(1, 2),
    device=st.sampled_from(["cpu", "cuda"]),
)


@st.composite
def peaks(draw: st.DrawFn) -> tuple[GPTConfig, PeakBytes]:
    """A model with its peak, of training or of inference, on some devices."""
    config = draw(gpt_configs())
    devices, sharding = draw(st.integers(1, 3)), draw(st.sampled_from(SHARDINGS))
    if draw(st.booleans()):
        return config, training_peak(config, draw(STEPS), devices, sharding)
    return config, inference_peak(config, draw(st.sampled_from([2, 4])), devices, sharding)


@given(st.lists(st.integers(0, 50), min_size=1).map(sorted), st.integers(0, 60))
def test_bisection_finds_what_counting_finds(peaks: list[int], available: int) -> None:
    counted = bisect_right(peaks, available)
    found = largest_fit(lambda count: peaks[count - 1], available, len(peaks))
    following = peaks[counted] if 0 < counted < len(peaks) else None
    assert found == Fit(counted, peaks[max(counted, 1) - 1], following)


def test_it_never_asks_beyond_the_most() -> None:
    asked = []

    def peak(count: int) -> int:
        asked.append(count)
        return 0

    assert largest_fit(peak, 10, most=100) == Fit(100, 0, None)
    assert max(asked) == 100


@given(peaks(), st.integers(1, 40), st.data())
def test_the_largest_batch_fits_and_one_more_does_not(
    case: tuple[GPTConfig, PeakBytes], wanted: int, data: st.DataObject
) -> None:
    config, peak = case
    time = data.draw(st.integers(1, config.context_length))
    exact = peak(wanted, time)
    found = fit_batch(peak, exact, time)
    assert found.peak_bytes == peak(found.largest, time) <= exact
    assert found.next_bytes == peak(found.largest + 1, time) > exact
    assert found.largest >= wanted
    less = fit_batch(peak, exact - 1, time)
    assert less.largest < wanted
    assert less.largest == 0 or less.peak_bytes < exact


@given(peaks(), st.integers(1, 3), st.data())
def test_the_longest_context_fits_and_one_more_token_does_not(
    case: tuple[GPTConfig, PeakBytes], batch: int, data: st.DataObject
) -> None:
    config, peak = case
    whole = config.context_length
    exact = peak(batch, data.draw(st.integers(1, whole)))
    found = fit_context(peak, exact, batch, whole)
    assert found.peak_bytes == peak(batch, found.largest) <= exact
    if found.largest < whole:
        assert found.next_bytes == peak(batch, found.largest + 1) > exact
    else:
        assert found.next_bytes is None
    assert fit_context(peak, peak(batch, 1) - 1, batch, whole) == Fit(0, peak(batch, 1), None)


@given(peaks(), st.integers(1, 4))
def test_more_tokens_and_more_sequences_never_need_less(
    case: tuple[GPTConfig, PeakBytes], batch: int
) -> None:
    config, peak = case
    over_time = [peak(batch, time) for time in range(1, config.context_length + 1)]
    assert over_time == sorted(over_time)
    over_batch = [peak(count, config.context_length) for count in range(1, 6)]
    assert over_batch == sorted(over_batch)


def test_a_batch_is_that_of_one_device() -> None:
    config = GPTConfig(vocab_size=64, context_length=16, emb_dim=32, n_heads=4, n_layers=2)
    sharding: Sharding = "replicated"
    alone = training_peak(config, TrainingStep())
    of_three = training_peak(config, TrainingStep(), 3, sharding)
    assert [alone(batch, 16) for batch in (1, 2, 5)] == [of_three(batch, 16) for batch in (1, 2, 5)]
