"""Nested data by dotted paths: `attention.window` instead of `["attention"]["window"]`."""

from collections.abc import Iterator, Mapping
from typing import Any

Flat = dict[str, Any]
"""Values by dotted path."""


def flatten(data: Mapping[str, Any], prefix: str = "") -> Flat:
    """The values of nested mappings by their paths; a list is a value."""
    return dict(_leaves(data, prefix))


def _leaves(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Nested data of values by path: what `flatten` undoes. A value may itself be nested."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, key = path.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        if isinstance(value, dict) and isinstance(place.get(key), dict):
            place[key].update(value)
        else:
            place[key] = value
    return nested
