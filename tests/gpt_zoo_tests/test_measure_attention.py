"""Attention that is really timed. How long it takes is asserted nowhere."""

import pytest

from gpt_zoo.cost.roofline import TimePrecision
from gpt_zoo.measure import attention
from gpt_zoo.measure.attention import choose_batch, measure_attention
from gpt_zoo.measure.machine import usable_devices


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out for losing, whatever else this machine does."""
    monkeypatch.setattr(attention, "LOST", float("inf"))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_both_ways_are_timed_at_each_context(precision: TimePrecision, patient: None) -> None:
    notes: list[str] = []
    rows = list(measure_attention("cpu", precision, (3, 17), ((2, 5), (3, 7)), notes.append))
    assert [(row.heads, row.head_dim, row.context_length) for row in rows] == [
        (2, 5, 3),
        (2, 5, 17),
        (3, 7, 3),
        (3, 7, 17),
    ]
    assert all(row.fused_seconds > 0 and row.written_out_seconds > 0 for row in rows)
    assert len(notes) == 4
    assert precision in notes[0]


def test_longer_contexts_are_left_out_once_one_has_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "LOST", 0.0)  # writing out takes more than no time
    rows = list(measure_attention("cpu", "float32", (3, 17, 19), ((2, 5), (3, 7))))
    assert [(row.heads, row.context_length) for row in rows] == [(2, 3), (3, 3)]


def test_what_needs_much_memory_or_time_is_left_out(patient: None) -> None:
    # Scores of one sequence: 4 bytes x 2 heads x 8192² = 512 MiB.
    assert list(measure_attention("cpu", "float32", (8192,), ((2, 1),))) == []
    # 3.5 x 4 FLOPs x 64 heads x 512 numbers x 256² pairs = 3.0e10 > 2 x 2³³.
    assert list(measure_attention("cpu", "float32", (256,), ((64, 512),))) == []


@pytest.mark.parametrize(
    ("heads", "head_dim", "context", "batch"),
    [
        (4, 32, 64, 32),  # 2¹¹ tokens
        (12, 64, 512, 3),  # 2³³ FLOPs / (14 x 12 x 64 x 512²) = 3.05
        (64, 1, 512, 1),  # 2²⁶ bytes / (4 x 64 x 512²) = 1
        (12, 64, 2048, 1),  # less than one
    ],
)
def test_a_run_is_as_large_as_its_bounds_allow(heads: int, head_dim: int, context: int, batch: int) -> None:
    assert choose_batch("cpu", heads, head_dim, context) == batch


def test_a_gpu_has_more_to_do() -> None:
    assert choose_batch("cuda", 4, 32, 64) == 512  # 2¹⁵ tokens
    if "cuda" not in usable_devices():
        pytest.skip("needs a CUDA device")
    (row,) = measure_attention("cuda", "bfloat16", (64,), ((4, 32),))
    assert row.fused_seconds > 0
