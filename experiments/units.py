"""Numbers as people read them: 1.23 M, 512.0 MiB, 3.40 TFLOP, 4 min 05 s."""

import json
import math
from collections.abc import Sequence
from typing import Any

MISSING = "–"

COUNTS = ("", "k", "M", "B", "T")
FLOPS = ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP", "YFLOP")
BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def is_missing(value: Any) -> bool:
    """Whether a number was not recorded: None, NaN, or the missing value of a pandas column."""
    # Only NaN differs from itself; comparing pandas.NA gives NA, which has no truth value.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def format_count(value: float | None, *, trim: bool = False) -> str:
    """A number of things with three digits: 950, 1.23 M, 4.50 B (10⁹)."""
    return _format_scaled(value, 1000, COUNTS, trim)


def format_flops(value: float | None, *, trim: bool = False) -> str:
    """Floating-point operations with three digits: 3.40 TFLOP."""
    return _format_scaled(value, 1000, FLOPS, trim)


def format_bytes(value: float | None, *, trim: bool = False) -> str:
    """Bytes in powers of 1024 with one decimal: 512.0 MiB."""
    return _format_scaled(value, 1024, BYTES, trim, decimals=1)


def format_seconds(value: float | None, *, trim: bool = False) -> str:
    """A duration: 850 ms, 12.3 s, 4 min 05 s, 2 h 03 min."""
    if value is None or is_missing(value):
        return MISSING
    if math.isinf(value) or value < 0:
        return str(value)
    if 0 < value < 0.9995:
        number, unit = (value * 1e3, "ms") if value >= 0.9995e-3 else (value * 1e6, "µs")
        return f"{_three_digits(number, trim)} {unit}"
    if value < 59.95:
        return f"{value:.4g} s" if trim else f"{value:.1f} s"
    seconds = round(value)
    if seconds < 3600:
        minutes, seconds = divmod(seconds, 60)
        return f"{minutes} min" if trim and not seconds else f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours} h" if trim and not minutes else f"{hours} h {minutes:02d} min"


def enumerate_words(words: Sequence[str]) -> str:
    """The words with commas between, and `and` before the last."""
    return " and ".join(word for word in (", ".join(words[:-1]), words[-1]) if word) if words else ""


def plural(count: int, noun: str) -> str:
    """A number and its noun: `1 trial`, `2 trials`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_value(name: str, value: Any, *, trim: bool = False) -> str:
    """A recorded number in the unit that its field name says.

    Args:
        name: Field of the trial record; the unit is its suffix.
        value: What was recorded, or nothing.
        trim: Leave out zeros at the end, as for the ticks of an axis.
    """
    if is_missing(value):
        return MISSING
    if isinstance(value, str):
        return value
    if "bytes" in name:
        return format_bytes(value, trim=trim)
    if "flops" in name:
        return format_flops(value, trim=trim) + ("/s" if name.endswith("_per_second") else "")
    if name.endswith("_share") or name.startswith("mfu"):
        return f"{value:.1%}"
    if name == "seconds" or name.endswith("_seconds"):
        return format_seconds(value, trim=trim)
    if name == "learning_rate":
        return f"{value:.3g}"
    if "loss" in name or name in ("perplexity", "bits_per_byte"):
        return _format_loss(name, value, trim)
    return format_count(value, trim=trim)


def format_declared(value: Any) -> str:
    """A value of a config as it is written in a cell: `grouped_query(n_kv_heads=2)`, `true`, `1e-05`."""
    if isinstance(value, dict) and "kind" in value:
        parameters = [f"{key}={format_declared(entry)}" for key, entry in value.items() if key != "kind"]
        return f"{value['kind']}({', '.join(parameters)})" if parameters else str(value["kind"])
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {format_declared(entry)}' for key, entry in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(format_declared, value))}]"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def format_exact(value: Any) -> str:
    """The number as it was recorded, every digit of it."""
    if is_missing(value):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _format_loss(name: str, value: float, trim: bool) -> str:
    if not math.isfinite(value) or abs(value) >= 10_000:
        return format_count(value, trim=trim)
    if trim:
        return f"{value:.4g}"
    return f"{value:.2f}" if name == "perplexity" else f"{value:.3f}"


def _format_scaled(
    value: float | None, base: int, units: tuple[str, ...], trim: bool, decimals: int | None = None
) -> str:
    if value is None or is_missing(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    number, exponent = float(value), 0
    # 999.95 would be written 1000, with one digit too many for its unit.
    while abs(number) >= base * 0.9995 and exponent < len(units) - 1:
        number, exponent = number / base, exponent + 1
    if exponent == 0 and number.is_integer():
        text = str(int(number))
    elif decimals is None or trim:
        text = _three_digits(number, trim)
    else:
        text = f"{number:.{decimals}f}"
    return f"{text} {units[exponent]}".strip()


def _three_digits(number: float, trim: bool) -> str:
    if trim:
        return f"{number:.4g}"
    decimals = 2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0
    return f"{number:.{decimals}f}"
