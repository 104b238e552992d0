"""What a plain YAML scalar means: the core schema of YAML 1.2, and `1_000_000`.

YAML 1.1, which PyYAML resolves by default, reads `no` as false, `1:30` as 90 and `1e-3` as text.
"""

import re
from collections.abc import Callable
from typing import Any

from yaml.resolver import BaseResolver

_DIGITS = r"[0-9]+(?:_[0-9]+)*"

_PATTERNS: dict[str, tuple[str, str]] = {  # tag -> what it looks like, the characters it can begin with
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (rf"[-+]?{_DIGITS}|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
}


class CoreResolver(BaseResolver):
    """PyYAML's resolver with the implicit types of YAML 1.2."""


for _tag, (_pattern, _first) in _PATTERNS.items():
    CoreResolver.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(rf"(?:{_pattern})\Z"),
        [*_first, ""] if _tag == "null" else [*_first],
    )


def _int(text: str) -> int:
    if text[:2] in ("0o", "0x"):
        return int(text, 0)
    return int(text)


def _float(text: str) -> float:
    return float(text.replace(".", "", 1)) if text.lower().endswith(("inf", "nan")) else float(text)


_READ: dict[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _int,
    "float": _float,
    "str": str,
}


def read_scalar(tag: str, text: str) -> Any:
    """The value of a scalar whose tag CoreResolver resolved.

    Raises:
        ValueError: A number with more digits than Python reads.
    """
    return _READ[tag.removeprefix("tag:yaml.org,2002:")](text)
