"""Estimated times, by hand from published numbers."""

import pytest

from gpt_zoo.cost.memory import TrainingStep, training_memory
from gpt_zoo.cost.roofline import Device, Work, estimate_time, step_works
from registry import load_variant
from registry.devices import find_device

A100 = Device(
    name="a100",
    label="A100",
    memory_bytes=80e9,
    bandwidth_bytes_per_second=2.039e12,
    float32_flops_per_second=19.5e12,
    bfloat16_flops_per_second=312e12,
    source="NVIDIA 2021",
)
LAYERS, WIDTH, HIDDEN, VOCABULARY, TIME = 32, 4096, 11008, 32000, 4096  # Llama 2 7B
BLOCKS = LAYERS * (4 * WIDTH**2 + 3 * WIDTH * HIDDEN)
HEAD = VOCABULARY * WIDTH
PARAMS = 6_738_415_616


def test_decoding_llama_2_on_an_a100_is_bound_by_bandwidth_by_hand() -> None:
    _, work, _ = step_works(load_variant("llama-2-7b").config)
    # A score and a weighed value of D numbers for each key of 4,096, its own included.
    assert work.flops == 2 * (BLOCKS + HEAD + LAYERS * 2 * TIME * WIDTH)
    read = PARAMS - HEAD + WIDTH + LAYERS * 2 * WIDTH * TIME  # of the token table one row
    written = LAYERS * 2 * WIDTH
    passed = 2 * LAYERS * WIDTH + VOCABULARY
    assert work.moved_bytes == 2 * (read + written + passed)
    estimate = estimate_time(work, A100, "bfloat16")
    assert estimate.bound == "bandwidth"
    # 15.4 GB at 2.039 TB/s; the products would take 0.05 ms.
    assert estimate.seconds == pytest.approx(7.53e-3, rel=1e-3)
    assert estimate.compute_seconds == pytest.approx(4.93e-5, rel=5e-3)
    assert estimate.tokens_per_second == pytest.approx(132.8, rel=1e-3)


def test_reading_a_prompt_with_it_is_bound_by_compute_by_hand() -> None:
    work, _, _ = step_works(load_variant("llama-2-7b").config)
    # Logits of the last token only; pairs of the causal mask.
    pairs = TIME * (TIME + 1) // 2
    assert work.flops == 2 * (TIME * BLOCKS + HEAD + LAYERS * 2 * WIDTH * pairs)
    estimate = estimate_time(work, A100, "bfloat16")
    assert estimate.bound == "compute"
    # 5.74e13 FLOPs at 312 TFLOP/s.
    assert estimate.seconds == pytest.approx(0.184, rel=1e-2)
    assert estimate.work.tokens == TIME


def test_a_training_step_of_gpt2_by_hand() -> None:
    config, time = load_variant("gpt2").config, 1024
    works = [step_works(config, batch, precision="float32")[2] for batch in (1, 2)]
    weights = 12 * 12 * 768**2 + 50257 * 768
    assert works[0].flops == 3 * 2 * (time * weights + 12 * 2 * 768 * (time * (time + 1) // 2))
    assert works[1].flops == 2 * works[0].flops
    # Weights four times, gradients twice, two moments of AdamW twice: 10 float32 numbers a parameter.
    saved = [training_memory(config, TrainingStep(batch, device="cuda")).saved_bytes for batch in (1, 2)]
    assert works[0].moved_bytes == 10 * 4 * 124_439_808 + 2 * saved[0]
    assert works[1].moved_bytes == 10 * 4 * 124_439_808 + 2 * saved[1]


def test_a_large_batch_makes_decoding_bound_by_compute() -> None:
    config = load_variant("llama-2-7b").config
    bounds = [
        estimate_time(step_works(config, batch, 1)[1], A100, "bfloat16").bound for batch in (1, 64, 1024)
    ]
    assert bounds == ["bandwidth", "bandwidth", "compute"]


def test_the_ridge_is_where_both_take_as_long() -> None:
    # 989.4 TFLOP/s over 3.35 TB/s: 295 FLOPs a byte.
    h100 = find_device("h100")
    below, above = (estimate_time(Work("prefill", 1, flops, 10), h100, "bfloat16") for flops in (2950, 2960))
    assert (below.bound, above.bound) == ("bandwidth", "compute")
    assert below.work.intensity == 295


def test_without_a_published_peak_only_bandwidth_is_told() -> None:
    work = Work("prefill", 8, 10**15, 10**9)
    estimate = estimate_time(work, find_device("m4-max"), "bfloat16")
    assert (estimate.bound, estimate.compute_seconds) == ("unknown", None)
    assert estimate.seconds == pytest.approx(1e9 / 546e9)
    # Apple publishes 10.4 TFLOP/s, and none for 16 bits.
    assert estimate_time(work, find_device("m1-max"), "bfloat16").seconds == pytest.approx(1e15 / 10.4e12)


@pytest.mark.parametrize(("batch", "time"), [(0, 5), (1, 0), (1, 1025)])
def test_what_does_not_fit_the_model_is_refused(batch: int, time: int) -> None:
    with pytest.raises(ValueError, match=r"at least 1|fit the context"):
        step_works(load_variant("gpt2").config, batch, time)
