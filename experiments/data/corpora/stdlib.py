"""The corpus that every machine with Python has: its standard library."""

import platform
import sysconfig
from pathlib import Path

from experiments.data.corpora.files import walk_folder
from experiments.data.corpora.text import TextFiles, select_text
from experiments.data.errors import DataError
from experiments.progress import Progress

_LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}


def open_stdlib(progress: Progress) -> TextFiles:
    """The Python files of the running interpreter's standard library, without its tests.

    Raises:
        DataError: this interpreter comes without its source.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    found = list(walk_folder(folder, [".py"], without=_LEFT_OUT))
    if not found:
        raise DataError(
            f"no Python source in {folder}: this interpreter comes without its standard library's source; "
            "name text of your own: corpus: {kind: text, paths: [...]}"
        )
    name = f"the standard library of Python {platform.python_version()}"
    return select_text(name, found, "utf-8", progress)
