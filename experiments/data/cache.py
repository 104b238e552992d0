"""Folders that are built once and shared between processes."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from experiments.data.errors import DataError

_BUILDING = ".building-"
_ABANDONED_SECONDS = 24 * 3600
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def cache_root() -> Path:
    """Where the cache lies: GPT_ZOO_CACHE if that is set, else the user's cache folder."""
    chosen = os.environ.get("GPT_ZOO_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("gpt-zoo")


def cached_folder(folder: Path, is_complete: Callable[[Path], bool], build: Callable[[Path], None]) -> Path:
    """A folder of the cache, built if it is missing or damaged.

    It is built beside its place and renamed, so no reader and no crash meets a part of it. Of processes that
    build the same folder at once, the first wins and the others take its folder.

    Args:
        folder: its place.
        is_complete: whether a folder holds all that it should.
        build: fills an empty folder.

    Raises:
        DataError: the disk is full, or the cache cannot be written.
    """
    if is_complete(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(folder.parent)
        temporary = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder.parent))
        try:
            build(temporary)
            _install(temporary, folder, is_complete)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise _explain(folder.parent, error) from error
    return folder


def _install(temporary: Path, folder: Path, is_complete: Callable[[Path], bool]) -> None:
    while True:
        try:
            os.rename(temporary, folder)
            return
        except OSError:
            if not folder.exists():
                raise
        if is_complete(folder):
            return
        # Damaged: out of the way first, since a rename replaces no full folder.
        trash = tempfile.mkdtemp(prefix=_BUILDING, dir=folder.parent)
        try:
            os.rename(folder, Path(trash) / "damaged")
        except FileNotFoundError:
            pass  # another process was faster
        finally:
            shutil.rmtree(trash, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove what killed builds left. A build at work writes now and then, and so looks young."""
    for leftover in parent.glob(f"{_BUILDING}*"):
        try:
            newest = max(path.stat().st_mtime for path in (leftover, *leftover.iterdir()))
        except OSError:
            continue  # its owner has just finished
        if time.time() - newest > _ABANDONED_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)


def _explain(parent: Path, error: OSError) -> DataError:
    if error.errno in _DISK_FULL:
        return DataError(
            f"the disk of {parent} is full; make room, or set GPT_ZOO_CACHE to a folder elsewhere"
        )
    return DataError(
        f"cannot write the cache {parent}: {error.strerror or error}; "
        "set GPT_ZOO_CACHE to a folder where you may write"
    )
