"""How long work tells how far it is. The library reports to a Progress; the command line draws it."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self


class Task(Protocol):
    """One piece of work with a known or unknown length."""

    def update(self, done: float, note: str = "") -> None:
        """Say how much is `done` (in the unit of the total), with a short note such as the loss."""


class Progress(Protocol):
    """Receives the progress of work; tasks may nest."""

    def task(self, name: str, total: float | None = None) -> AbstractContextManager[Task]:
        """Begin a piece of work, which ends with the context."""

    def message(self, text: str) -> None:
        """Say one line that should stay visible."""


class Silent:
    """A Progress that says nothing: the default of the library."""

    def task(self, name: str, total: float | None = None) -> "Silent":
        """Begin nothing."""
        return self

    def update(self, done: float, note: str = "") -> None:
        """Say nothing."""

    def message(self, text: str) -> None:
        """Say nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
