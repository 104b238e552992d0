"""`extends`: a declaration as it is once everything that it builds upon is laid beneath it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.catalog import VARIANT_NAME, find_variant_file, looks_like_path
from registry.document import Document, Marks
from registry.errors import DeclarationError, Problem, find_mark, problem_at
from registry.merge import merge_documents
from registry.overrides import Overrides, apply_overrides
from registry.yaml_source import load_document

HEADER = ("name", "description", "source", "extends")
"""Keys of a declaration that are no part of the config, and are not inherited."""


@dataclass(frozen=True)
class Declaration:
    """A variant or a space, resolved but not yet validated."""

    name: str
    description: str
    source: str
    body: Document
    """The config, with values of all that was extended and the overrides."""
    origin: Path | None
    """The file that declares it; None for what a call or another file holds."""


def locate(reference: str | Path, folder: Path | None = None, where: str = "", path: str = "") -> Path:
    """The file that a catalog name or a path means, relative to `folder`.

    Raises:
        DeclarationError: The name is unknown.
    """
    if isinstance(reference, Path) or looks_like_path(reference):
        return Path(os.path.normpath((folder or Path()) / reference))
    return find_variant_file(reference, where, path)


def declare_file(
    reference: str | Path, overrides: Overrides = (), folder: Path | None = None, where: str = ""
) -> Declaration:
    """The declaration of a catalog name or a file, relative to `folder`.

    Raises:
        DeclarationError: Unknown (told at `where`), unreadable, or with a wrong header or override.
    """
    path = locate(reference, folder, where)
    if where and not path.is_file():
        raise DeclarationError([Problem(where, "", f"there is no file `{path}`")])
    return declare(load_document(path), path.parent, path.stem, overrides, origin=path)


def declare_entry(
    entry: str | Mapping[str, Any],
    marks: Marks | None,
    folder: Path | None,
    overrides: Overrides,
    default_name: str,
) -> Declaration:
    """The declaration that stands inside of a file or a call: a name, a file, or a mapping.

    Args:
        marks: Positions by path within `entry`; without them, problems are placed at `default_name`.
        folder: Where relative files start.
        default_name: The name of a mapping that states none.

    Raises:
        DeclarationError: As for `declare_file`, or `entry` is something else.
    """
    marks = {(): default_name} if marks is None else marks
    if isinstance(entry, str):
        return declare_file(entry, overrides, folder, find_mark(marks, ()))
    if not isinstance(entry, Mapping):
        raise DeclarationError(
            [problem_at(marks, (), f"expected a name, a file or a mapping, got {entry!r}")]
        )
    return declare(Document(dict(entry), marks), folder, default_name, overrides)


def declare(
    document: Document,
    folder: Path | None,
    default_name: str,
    overrides: Overrides = (),
    origin: Path | None = None,
) -> Declaration:
    """Lay `document` over what it extends, and `overrides` over that.

    Args:
        folder: Where a relative `extends` starts.
        default_name: The name of a document that states none.

    Raises:
        DeclarationError: A wrong header or override, or a cycle.
    """
    document = apply_overrides(_resolve(document, folder, () if origin is None else (origin,)), overrides)
    header = {"name": default_name, "description": "", "source": ""}
    problems = []
    for key in header.keys() & document.data.keys():
        header[key] = document.data[key]
        if not isinstance(header[key], str):
            problems.append(problem_at(document.marks, (key,), f"`{key}` must be text, got {header[key]!r}"))
    if not problems and not VARIANT_NAME.fullmatch(header["name"]):
        rule = "a name starts with a small letter or a digit, then come these, `.`, `_` or `-`"
        message = f"{rule}; got `{header['name']}`"
        problems.append(problem_at(document.marks, ("name",), message))
    if problems:
        raise DeclarationError(problems)
    return Declaration(**header, body=_without(document, HEADER[:3]), origin=origin)


def _resolve(document: Document, folder: Path | None, chain: tuple[Path, ...]) -> Document:
    if "extends" not in document.data:
        return document
    reference: Any = document.data["extends"]
    where = find_mark(document.marks, ("extends",))
    if not isinstance(reference, str) or not reference:
        raise DeclarationError([Problem(where, "extends", "must be the name or the file of one variant")])
    base_file = locate(reference, folder, where, "extends")
    if base_file.resolve() in [path.resolve() for path in chain]:
        circle = " -> ".join(str(path) for path in (*chain, base_file))
        raise DeclarationError([Problem(where, "extends", f"this goes in a circle: {circle}")])
    if not base_file.is_file():
        raise DeclarationError([Problem(where, "extends", f"there is no file `{base_file}`")])
    base = _resolve(load_document(base_file), base_file.parent, (*chain, base_file))
    return merge_documents(_without(base, HEADER), _without(document, ("extends",)))


def _without(document: Document, keys: tuple[str, ...]) -> Document:
    data = {key: value for key, value in document.data.items() if key not in keys}
    return Document(
        data, {path: mark for path, mark in document.marks.items() if path[:1] not in [(k,) for k in keys]}
    )
