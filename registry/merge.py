"""Laying one declaration over another, values and positions together."""

from dataclasses import dataclass
from typing import Any

from gpt_zoo.config.merge import deep_merge
from registry.document import Document, iterate_paths
from registry.domains import is_domain
from registry.errors import find_mark


@dataclass(frozen=True)
class _Sealed:
    """A domain on its way through a merge: one value, whatever keys its mapping has."""

    domain: Any


def _seal(value: Any) -> Any:
    if is_domain(value):
        return _Sealed(value)
    return {key: _seal(item) for key, item in value.items()} if isinstance(value, dict) else value


def _unseal(value: Any) -> Any:
    if isinstance(value, _Sealed):
        return value.domain
    return {key: _unseal(item) for key, item in value.items()} if isinstance(value, dict) else value


def merge_data(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """`override` over `base`, deeply; a domain replaces, and is replaced, as a whole."""
    merged: dict[str, Any] = _unseal(deep_merge(_seal(base), _seal(override)))
    return merged


def merge_documents(base: Document, override: Document) -> Document:
    """The same for documents: each value keeps the position of the document that gave it."""
    data = merge_data(base.data, override.data)
    own = set(iterate_paths(override.data))
    marks = {path: find_mark((override if path in own else base).marks, path) for path in iterate_paths(data)}
    return Document(data, marks)
