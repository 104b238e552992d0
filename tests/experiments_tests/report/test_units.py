import pandas as pd
import pytest

from experiments.units import (
    format_bytes,
    format_count,
    format_exact,
    format_flops,
    format_seconds,
    format_value,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (950, "950"),
        (1_230_000, "1.23 M"),
        (999_999, "1.00 M"),
        (12_345, "12.3 k"),
        (4.5e9, "4.50 B"),
    ],
)
def test_counts(value: float, text: str) -> None:
    assert format_count(value) == text


@pytest.mark.parametrize(("value", "text"), [(3.4e12, "3.40 TFLOP"), (5, "5 FLOP"), (2e27, "2000 YFLOP")])
def test_flops(value: float, text: str) -> None:
    assert format_flops(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(512 * 2**20, "512.0 MiB"), (100, "100 B"), (2**30 - 1, "1.0 GiB"), (1536, "1.5 KiB")]
)
def test_bytes(value: float, text: str) -> None:
    assert format_bytes(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0 s"),
        (0.00025, "250 µs"),
        (0.85, "850 ms"),
        (0.9999, "1.0 s"),
        (12.34, "12.3 s"),
        (59.99, "1 min 00 s"),
        (245, "4 min 05 s"),
        (7380, "2 h 03 min"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert format_seconds(value) == text


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
@pytest.mark.parametrize("write", [format_bytes, format_count, format_flops, format_seconds])
def test_missing_numbers_are_a_dash(missing: object, write: object) -> None:
    assert write(missing) == "–"  # type: ignore[operator]
    assert format_value("params", missing) == "–"
    assert format_exact(missing) == ""


def test_the_name_of_a_field_says_its_unit() -> None:
    assert format_value("validation_loss", 2.31) == "2.310"
    assert format_value("perplexity", 10.074) == "10.07"
    assert format_value("kv_cache_bytes_per_token", 2048) == "2.0 KiB"
    assert format_value("flops_forward", 2_000_000) == "2.00 MFLOP"
    assert format_value("params", 1_230_000, trim=True) == "1.23 M"
    assert format_value("memory_bytes", 64 * 2**20, trim=True) == "64 MiB"


def test_exact_numbers_keep_every_digit() -> None:
    assert format_exact(1234567890123.0) == "1234567890123"
    assert format_exact(2.3100001) == "2.3100001"
