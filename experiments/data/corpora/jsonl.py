"""Corpora of JSON lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.data.config import JsonlCorpus
from experiments.data.corpora.columns import text_of_row
from experiments.data.corpora.files import find_files
from experiments.data.errors import DataError

_SUFFIXES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class JsonLines:
    """One column of files with one JSON object a line."""

    name: str
    paths: tuple[Path, ...]
    column: str
    total_bytes: int

    def __iter__(self) -> Iterator[str]:
        """Stream the texts of the column; empty ones and nulls are passed over."""
        for path in self.paths:
            yield from self._read(path)

    def _read(self, path: Path) -> Iterator[str]:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        text = text_of_row(_parse(line, f"{path}:{number}"), self.column, f"{path}:{number}")
                        if text:
                            yield text
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from error


def _parse(line: bytes, place: str) -> dict[str, object]:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{place}: not UTF-8: byte 0x{error.object[error.start]:02x} at byte {error.start} of the line; "
            "convert the file to UTF-8"
        ) from error
    except ValueError as error:
        raise DataError(f"{place}: not JSON: {error}; every line must be one JSON object") from error
    if not isinstance(row, dict):
        raise DataError(f"{place}: a {type(row).__name__} where every line must be one JSON object")
    return row


def open_jsonl(config: JsonlCorpus) -> JsonLines:
    """The files that a person means by paths, folders and globs.

    Raises:
        DataError: a path does not exist, or a folder has no such files.
    """
    paths = tuple(file.path for file in find_files(config.paths, _SUFFIXES))
    total_bytes = sum(path.stat().st_size for path in paths)
    return JsonLines(", ".join(config.paths), paths, config.column, total_bytes)
