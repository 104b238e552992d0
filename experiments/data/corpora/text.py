"""Corpora of text files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.data.config import TextCorpus
from experiments.data.corpora.files import FoundFile, find_files
from experiments.data.corpora.pieces import UndecodableError, read_documents, read_text
from experiments.data.errors import DataError
from experiments.progress import Progress

_HEAD_BYTES = 1024
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class TextFiles:
    """The text of a list of files."""

    name: str
    paths: tuple[Path, ...]
    encoding: str
    total_bytes: int

    def __iter__(self) -> Iterator[str]:
        """Stream the documents, file after file."""
        for path in self.paths:
            yield from read_documents(path, self.encoding)


def open_text(config: TextCorpus, progress: Progress) -> TextFiles:
    """The files that a person means by paths, folders and globs.

    Raises:
        DataError: a path does not exist, or no file is text.
    """
    found = find_files(config.paths, config.suffixes)
    return select_text(", ".join(config.paths), found, config.encoding, progress)


def select_text(name: str, found: list[FoundFile], encoding: str, progress: Progress) -> TextFiles:
    """Those of the found files that are text. Named ones are trusted, others are left out if they are none.

    Raises:
        DataError: none is text.
    """
    kept: list[Path] = []
    undecodable: list[Path] = []
    with progress.task("looking at the files", len(found)) as task:
        for number, file in enumerate(found, start=1):
            if file.named or not _is_binary(file.path, encoding):
                (kept if file.named or _is_decodable(file.path, encoding) else undecodable).append(file.path)
            task.update(number)
    if not kept:
        raise DataError(
            f"none of the {len(found)} files of {name} is {encoding} text ({_list_names(undecodable)}); "
            "set `encoding` to the one they were written in"
        )
    if undecodable:
        progress.message(
            f"left out {len(undecodable)} files that are not {encoding} text: {_list_names(undecodable)}"
        )
    return TextFiles(name, tuple(kept), encoding, sum(path.stat().st_size for path in kept))


def _is_binary(path: Path, encoding: str) -> bool:
    if b"\0" in "a".encode(encoding):  # in UTF-16 and UTF-32 a zero byte means nothing
        return False
    try:
        with path.open("rb") as file:
            return b"\0" in file.read(_HEAD_BYTES)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _is_decodable(path: Path, encoding: str) -> bool:
    try:
        for _ in read_text(path, encoding):
            pass
    except UndecodableError:
        return False
    return True


def _list_names(paths: list[Path]) -> str:
    names = [str(path) for path in paths[:_NAMES_SHOWN]]
    return ", ".join(names + ["..."] * (len(paths) > _NAMES_SHOWN)) or "all are binary"
