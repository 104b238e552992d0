"""Values given on the command line or in a call, laid over what a file declares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.document import Document, iterate_paths
from registry.errors import DeclarationError, Problem
from registry.key_path import KeyPath, format_key_path, parse_key_path
from registry.merge import merge_data
from registry.yaml_source import load_value

Overrides = Sequence[str] | Mapping[str, Any]
"""`["attention.n_kv_heads=2", ...]`, or `{"attention.n_kv_heads": 2, ...}`."""


@dataclass(frozen=True)
class _Override:
    path: KeyPath
    value: Any
    where: str

    @property
    def order(self) -> tuple[int, bool]:
        """A kind first, then its fields, in whatever order they were given."""
        return len(self.path), self.path[-1] != "kind"


def apply_overrides(document: Document, overrides: Overrides) -> Document:
    """`document` with each override laid over it, deeply, and blamed for what it gave.

    Raises:
        DeclarationError: No `key.path=value`, a value that is no YAML, an index into what is no list.
    """
    for override in sorted(_parse(overrides), key=lambda override: override.order):
        try:
            data = _lay(document.data, override.path, override.value)
        except LookupError as error:
            problem = Problem(override.where, format_key_path(override.path), str(error.args[0]))
            raise DeclarationError([problem]) from None
        depth = len(override.path)
        marks = {
            path: override.where
            if path[:depth] == override.path
            else document.marks.get(path, override.where)
            for path in iterate_paths(data)
        }
        document = Document(data, marks)
    return document


def _parse(overrides: Overrides) -> list[_Override]:
    if isinstance(overrides, Mapping):
        return [_parse_one(key, value, "override") for key, value in overrides.items()]
    parsed = []
    for item in [overrides] if isinstance(overrides, str) else overrides:
        where = f"--set {item}"
        key, equals, text = item.partition("=")
        if not equals:
            raise DeclarationError([Problem(where, "", "expected `key.path=value`, such as `emb_dim=256`")])
        try:
            value = load_value(text, where)
        except DeclarationError as error:
            problems = [Problem(where, key, problem.message) for problem in error.problems]
            raise DeclarationError(problems) from None
        parsed.append(_parse_one(key, value, where))
    return parsed


def _parse_one(key: str, value: Any, where: str) -> _Override:
    try:
        return _Override(parse_key_path(key.strip()), value, where)
    except ValueError as error:
        raise DeclarationError([Problem(where, "", str(error))]) from None


def _lay(data: dict[str, Any], path: KeyPath, value: Any) -> dict[str, Any]:
    """`value` laid over `data` at `path`.

    Raises:
        LookupError: `path` leads through a list where there is none, or beyond its end.
    """
    depth = next((depth for depth, step in enumerate(path) if isinstance(step, int)), len(path))
    if depth < len(path):
        value = _lay_in_list(data, path[:depth], int(path[depth]), path[depth + 1 :], value)
    for step in reversed(path[:depth]):
        value = {step: value}
    return merge_data(data, value)


def _lay_in_list(data: Any, path: KeyPath, index: int, rest: KeyPath, value: Any) -> list[Any]:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    length = len(data) if isinstance(data, list) else 0
    if index >= length:
        found = f"a list of {length}" if isinstance(data, list) else "no list"
        raise LookupError(
            f"there is no `{format_key_path((*path, index))}`: `{format_key_path(path)}` is {found}"
        )
    if rest and not isinstance(data[index], dict):
        raise LookupError(f"`{format_key_path((*path, index))}` is no mapping")
    if rest:
        value = _lay(data[index], rest, value)
    elif isinstance(data[index], dict) and isinstance(value, dict):
        value = merge_data(data[index], value)
    return [*data[:index], value, *data[index + 1 :]]
