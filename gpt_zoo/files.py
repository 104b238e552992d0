"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def written_whole(folder: Path, last: str) -> Iterator[Path]:
    """A place beside `folder`'s files in which to write them: at the end all are moved to their names.

    Until then the folder is as it was; a disk that is full leaves it so.

    Args:
        folder: Made if need be.
        last: The name of the file that is moved last, and so tells that the others are there.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".partial-") as name:
        partial = Path(name)
        yield partial
        for path in sorted(partial.iterdir(), key=lambda path: path.name == last):
            _flush(path)
            os.replace(path, folder / path.name)


def _flush(path: Path) -> None:
    """Have the content on the disk before the name points to it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
