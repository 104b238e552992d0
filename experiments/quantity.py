"""Numbers as people write them: `2e6`, `1.5M`, `80GiB`."""

import math
import re

UNITS: dict[str, float] = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "B": 1} | {
    f"{prefix}{binary}B": (1024 if binary else 1000) ** power
    for power, prefix in enumerate("KMGT", start=1)
    for binary in ("", "i")
}
QUANTITY = r"(?P<number>[\d._]+(?:[eE][+-]?\d+)?)\s*(?P<unit>\w*)"
"""A number and its unit, within a pattern."""


def parse_quantity(number: str, unit: str, text: str) -> float:
    """The number that is written in `text`.

    Raises:
        ValueError: no number, or an unknown unit.
    """
    if unit not in UNITS:
        raise ValueError(f"unknown unit `{unit}` in `{text}`; known are {', '.join(filter(None, UNITS))}")
    try:
        return float(number) * UNITS[unit]
    except ValueError:
        raise ValueError(f"`{number}` in `{text}` is no number") from None


def parse_bytes(text: str) -> int:
    """An amount of memory, such as `80GiB` or `24 GB`.

    Raises:
        ValueError: it is none.
    """
    match = re.fullmatch(QUANTITY, text.strip())
    if match is None:
        raise ValueError(f"an amount of memory looks like 80GiB or 512MiB, got `{text}`")
    if not match["unit"]:
        raise ValueError(f"an amount of memory has a unit, got `{text}`; try {text.strip()}GiB")
    number = parse_quantity(match["number"], match["unit"], text)
    if math.isinf(number):
        raise ValueError(f"an amount of memory is a finite number, got `{text}`")
    return int(number)
