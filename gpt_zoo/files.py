"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from socket import gethostname
from tempfile import TemporaryDirectory

_PARTIAL = f".partial-{gethostname()}-"
"""Of a machine's own, as several may write to one disk."""


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
    _remove_left_behind(folder)
    with TemporaryDirectory(dir=folder, prefix=f"{_PARTIAL}{os.getpid()}-") as name:
        partial = Path(name)
        yield partial
        for path in sorted(partial.iterdir(), key=lambda path: path.name == last):
            _flush(path)
            os.replace(path, folder / path.name)


def _remove_left_behind(folder: Path) -> None:
    """Remove what a process of this machine left that was killed while it wrote."""
    for path in folder.glob(f"{_PARTIAL}*"):
        pid = path.name.removeprefix(_PARTIAL).partition("-")[0]
        if pid.isdecimal() and not _runs(int(pid)):
            rmtree(path, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    return True


def _flush(path: Path) -> None:
    """Have the content on the disk before the name points to it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
