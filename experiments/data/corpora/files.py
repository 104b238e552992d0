"""Which files a list of paths, folders and globs means."""

import glob
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.data.errors import DataError


@dataclass(frozen=True)
class FoundFile:
    """A file of a corpus, and whether a person named it or it lay in a folder or matched a glob."""

    path: Path
    named: bool


def find_files(patterns: Iterable[str], suffixes: Collection[str] | None) -> list[FoundFile]:
    """The files that are meant, each once, in the order of the patterns and sorted within each.

    Args:
        patterns: files, folders and globs.
        suffixes: endings of the files that are taken from folders; None takes all.

    Raises:
        DataError: a pattern matches nothing, or no file is left.
    """
    patterns = list(patterns)
    found: dict[Path, FoundFile] = {}
    for pattern in patterns:
        for file in _expand(pattern, suffixes):
            found.setdefault(file.path, file)
    if not found:
        wanted = f" that ends in {' or '.join(suffixes)}" if suffixes else " (hidden files are left out)"
        raise DataError(f"no file{wanted} in {', '.join(patterns)}; name files, or other suffixes")
    return list(found.values())


def _expand(pattern: str, suffixes: Collection[str] | None) -> Iterator[FoundFile]:
    path = Path(pattern).expanduser()
    # A name that exists is that file, even if it looks like a glob.
    if path.is_dir():
        yield from walk_folder(path, suffixes)
    elif path.exists():
        yield FoundFile(path, named=True)
    elif glob.has_magic(pattern):
        matches = sorted(glob.glob(str(path), recursive=True))
        if not matches:
            raise DataError(f"no file matches the glob {pattern} (looked from {Path.cwd()})")
        for match in map(Path, matches):
            if match.is_file():
                yield FoundFile(match, named=False)
            elif "**" not in pattern:
                # `**` has visited the folders already.
                yield from walk_folder(match, suffixes)
    else:
        raise DataError(f"no file or folder {pattern} (looked from {Path.cwd()}); check the path")


def walk_folder(
    folder: Path, suffixes: Collection[str] | None, without: Collection[str] = ()
) -> Iterator[FoundFile]:
    """Files below a folder in a fixed order, without hidden ones and without folders named in `without`."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in without)
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or not path.is_file():
                continue
            if suffixes is None or name.endswith(tuple(suffixes)):
                yield FoundFile(path, named=False)
