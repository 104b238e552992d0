"""Progress as a terminal shows it: bars while work goes on, or lines where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from experiments.printable import printable

WHOLE_RUN_SECONDS = 24 * 3600.0
"""Remaining time is judged by all that was done: trials differ too much for the last minute to tell."""


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self.bars, self.id = bars, task
        self.note = ""

    def update(self, done: float, note: str = "") -> None:
        self.note = note
        self.bars.update(self.id, completed=done, note=note)


class TerminalProgress:
    """Bars with notes and remaining time on a terminal; elsewhere a line as each piece of work ends.

    A context: the bars are gone when it ends.
    """

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False),
            console=self.console,
            transient=True,
            speed_estimate_period=WHOLE_RUN_SECONDS,
            disable=not self.console.is_terminal,
        )

    @contextmanager
    def task(self, name: str, total: float | None = None) -> Iterator[_Bar]:
        """A bar for the time of the work."""
        task = self.bars.add_task(name, total=total, note="")
        bar = _Bar(self.bars, task)
        try:
            yield bar
            if bar.note and not self.console.is_terminal:
                self.message(f"{name}: {bar.note}")
        finally:
            self.bars.remove_task(task)

    def message(self, text: str) -> None:
        """A line that stays."""
        self.console.print(printable(text, keep="\n"), markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()
