"""A declaration as plain data, with the position of every value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from registry.key_path import KeyPath

Marks = Mapping[KeyPath, str]
"""Positions (`file:line:column`) by path. A value in a mapping has the position of its key."""


def iterate_paths(data: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of `data` and of everything in it, parents first."""
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from iterate_paths(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from iterate_paths(value, (*path, index))


def marks_within(marks: Marks, path: KeyPath) -> Marks:
    """The positions of what stands at `path` and below, by path from there."""
    depth = len(path)
    return {place[depth:]: mark for place, mark in marks.items() if place[:depth] == path}


@dataclass(frozen=True)
class Document:
    """What a file, a part of a file or a call declared."""

    data: dict[str, Any]
    marks: Marks

    def at(self, *path: str | int) -> "Document":
        """The mapping at `path` as a document of its own, with its positions.

        Raises:
            KeyError, IndexError, TypeError: There is no such mapping.
        """
        data: Any = self.data
        for step in path:
            data = data[step]
        if not isinstance(data, dict):
            raise TypeError(f"no mapping at {path}")
        return Document(data, marks_within(self.marks, path))
