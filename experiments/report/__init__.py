"""Reports of a run: what was found, how sure it is, what was run, in formats that people send around.

A new format is one file with a function from a `Report` to files, and one line in `FORMATS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.report.html import render_html
from experiments.report.markdown import render_markdown
from experiments.run_folder import RunFolder, write_atomically
from gpt_zoo.config.base import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.report.content import Report

__all__ = ["FORMATS", "Format", "render_report"]


@dataclass(frozen=True)
class Format:
    """A way to write a report.

    Args:
        file: The file that people open.
        render: Gives the text of each file by its path in the run folder: `file`, and what it refers to.
    """

    file: str
    render: "Callable[[Report], dict[str, str]]"


FORMATS = {
    "html": Format("report.html", render_html),
    "markdown": Format("report.md", render_markdown),
}


def render_report(run: RunFolder, formats: Sequence[str] | None = None) -> "list[Path]":
    """Write the reports of a run into its folder, each file atomically.

    Args:
        run: What the report is about; any records will do, or none.
        formats: Names in `FORMATS`; all of them by default.

    Returns:
        The file of each format that people open.

    Raises:
        ValueError: a format is not known, or the run cannot be read.
    """
    from experiments.report.build import build_report

    names = list(FORMATS if formats is None else formats)
    for name in names:
        if name not in FORMATS:
            raise ValueError(f"no format is called `{name}`; {did_you_mean(name, FORMATS)}")
    report = build_report(run)
    for name in names:
        files = FORMATS[name].render(report)
        # The file that people open comes last: what it refers to is there by then.
        for path in sorted(files, key=lambda path: path == FORMATS[name].file):
            write_atomically(run.path / path, files[path])
    return [run.path / FORMATS[name].file for name in names]
