"""A declaration as plain data, with the position of every value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

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


@dataclass(frozen=True)
class Document:
    """What a file, a part of a file or a call declared."""

    data: dict[str, Any]
    marks: Marks

    @classmethod
    def from_data(cls, data: Mapping[str, Any], where: str) -> Self:
        """A document that no file holds: every value has the position `where`."""
        data = dict(data)
        return cls(data, dict.fromkeys(iterate_paths(data), where))

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
        depth = len(path)
        return Document(
            data, {place[depth:]: mark for place, mark in self.marks.items() if place[:depth] == path}
        )
