"""Steps that are really timed. How long they take is asserted nowhere."""

import pytest
import torch
from config_strategies import config_with

from gpt_zoo.config.slot import KINDS
from gpt_zoo.measure.machine import measure_peaks, median_seconds, usable_devices
from gpt_zoo.measure.time import STEPS, check_memory, measure_times

MIXTURE = {
    "kind": "mixture_of_experts",
    "n_experts": 3,
    "n_experts_per_token": 1,
    "expert": {"kind": "gated", "hidden_dim": 11},
}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", sorted(KINDS["attention"]))
def test_each_phase_is_timed_for_every_kind_of_attention(kind: str, precision: str) -> None:
    config = config_with("attention", kind, feed_forward=MIXTURE)
    notes: list[str] = []
    timings = measure_times(config, 2, 15, precision, tell=notes.append)
    assert [timing.phase for timing in timings] == ["prefill", "decode", "training"]
    assert [timing.tokens for timing in timings] == [30, 2, 30]
    for timing in timings:
        assert len(timing.seconds) == STEPS
        assert min(timing.seconds) <= timing.median_seconds <= max(timing.seconds)
        assert timing.tokens_per_second == timing.tokens / timing.median_seconds
        assert (timing.device, timing.threads) == ("cpu", torch.get_num_threads())
    assert sum("decode" in note for note in notes) == 9


def test_a_context_too_short_to_decode_in_is_refused() -> None:
    with pytest.raises(ValueError, match="got a context of 9; give one of 10 or more"):
        measure_times(config_with("norm", "layer_norm"), 1, 9)


def test_a_model_beyond_free_memory_is_refused() -> None:
    config = config_with("norm", "layer_norm")
    check_memory(config, 1, 19, "float32", 2**30, "cpu")
    with pytest.raises(ValueError, match=r"must fit into free memory, got .* try a smaller batch size"):
        check_memory(config, 10**6, 19, "float32", 2**30, "cpu")


def test_more_is_run_than_is_counted() -> None:
    runs: list[int] = []
    assert median_seconds(lambda: runs.append(1), "cpu", 5) >= 0
    assert len(runs) == 6


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_other_devices_are_measured_and_timed(device: str) -> None:
    if device not in usable_devices():
        pytest.skip(f"this machine has no {device}")
    peaks = measure_peaks(device)
    assert peaks.bfloat16_flops_per_second > 1e11
    assert peaks.bandwidth_bytes_per_second > 1e10
    timings = measure_times(config_with("attention", "grouped_query"), 2, 15, "bfloat16", device)
    assert {timing.device for timing in timings} == {device}
