"""Safe YAML with positions: the only door through which declarations come in.

A subset of YAML 1.2 that is data and nothing else: no tags, no anchors, no key twice. Anything else is an
error that says where it stands and what to write instead.
"""

from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from registry.document import Document
from registry.errors import DeclarationError, Problem
from registry.key_path import KeyPath, format_key_path
from registry.yaml_nodes import RefusedError, compose_single
from registry.yaml_scalars import read_scalar
from registry.yaml_text import place_after, read_text

_STRING = "tag:yaml.org,2002:str"
_MAX_PROBLEMS = 20


def load_document(source: Path | str, name: str | None = None) -> Document:
    """Read a YAML mapping and the position of each of its values.

    Args:
        source: A file as a Path, or YAML text.
        name: What positions call it; defaults to the path, or `<text>`.

    Raises:
        DeclarationError: Unreadable, or not in the accepted subset of YAML.
    """
    name = name or (str(source) if isinstance(source, Path) else "<text>")
    reading = _read(source, name)
    if not isinstance(reading.data, dict):
        found = (
            "nothing" if reading.data is None else "a list" if isinstance(reading.data, list) else "a value"
        )
        message = f"expected keys with values, such as `n_heads: 4`, found {found}"
        raise DeclarationError([Problem(f"{name}:1:1", "", message)])
    return Document(reading.data, reading.marks)


def load_value(text: str, name: str) -> Any:
    """Read one YAML value: `8`, `true`, `[1, 2]`, `{kind: rotary}`; None for no text.

    Raises:
        DeclarationError: Not in the accepted subset of YAML.
    """
    return _read(text, name).data


def _read(source: Path | str, name: str) -> "_Reading":
    text = read_text(source, name)
    try:
        node = compose_single(text)
    except ReaderError as error:
        place = place_after(text[: error.position], name)
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise DeclarationError([Problem(place, "", message)]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DeclarationError([Problem(_place(mark, name) if mark else name, "", _explain(error))]) from None
    reading = _Reading(name)
    reading.data = None if node is None else reading.value(node, ())
    if reading.problems:
        raise DeclarationError(reading.problems[:_MAX_PROBLEMS])
    return reading


def _explain(error: yaml.MarkedYAMLError) -> str:
    message = error.problem or error.context or "this is no YAML"
    if isinstance(error, RefusedError):
        return message
    if "'\\t'" in message:
        return f"{message}; indent with spaces"
    return f"{message} ({error.context})" if error.problem and error.context else message


def _place(mark: yaml.Mark, name: str) -> str:
    return f"{name}:{mark.line + 1}:{mark.column + 1}"


class _Reading:
    """Turns nodes into plain data, collecting marks and problems on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data: Any = None
        self.marks: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.marks.setdefault(path, _place(node.start_mark, self.name))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            return read_scalar(node.tag, node.value)
        except ValueError:
            self._report(node, path, "the number has too many digits")
            return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in data:
                self._report(key_node, here, f"the key is given twice, first at {self.marks[here]}; keep one")
                continue
            self.marks[here] = _place(key_node.start_mark, self.name)
            data[key] = self.value(value_node, here)
        return data

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._report(node, path, "a key must be a name, not a list or a mapping")
        elif node.tag != _STRING:
            self._report(node, path, f"a key must be text, got `{node.value}`; quote it if it is a name")
        elif node.value == "<<":
            self._report(node, path, "merge keys (<<) are not accepted; use `extends` to share values")
        else:
            return str(node.value)
        return None

    def _report(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(_place(node.start_mark, self.name), format_key_path(path), message))
