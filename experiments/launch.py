"""When a training is launched: once the memory is free that it likely needs, never where it cannot fit."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from experiments.units import format_bytes

LOOK_SECONDS = 1.0
"""What else runs on the machine takes memory and gives it back without a word: one has to look."""
PATIENCE_SECONDS = 60.0
"""So long a training that has no room waits for programs that are none of ours."""


@dataclass(frozen=True, eq=False)
class Need:
    """What a training takes of a memory.

    Args:
        name: Of the training, for messages.
        likely_bytes: At its peak, as predicted, what its process takes beside it included; None if unknown.
        least_bytes: For certain.
        used_bytes: Tells what of it is taken already.
    """

    name: str
    likely_bytes: int | None
    least_bytes: int
    used_bytes: Callable[[], int]


class Memory(Protocol):
    """The memory that trainings share."""

    total_bytes: int
    """There is no more, however little else runs."""
    process_bytes: int
    """What the process of a training takes beside what is predicted of the training."""

    def free_bytes(self) -> int:
        """What could be had now."""

    def outstanding_bytes(self, running: Sequence[Need], free_bytes: int) -> int:
        """What running trainings, all of which are predicted, have yet to take of what is free now."""


class NoRoomError(Exception):
    """A training does not fit; says why."""


class StoppedError(Exception):
    """Nothing is launched any more."""


class MemoryGate:
    """Lets trainings begin in the order in which they come, each when its memory is free.

    Never does everything wait: where nothing runs, a training begins unless it is certain not to fit.

    Args:
        memory: That they share.
        say: Told what should stay visible.
    """

    def __init__(self, memory: Memory, say: Callable[[str], None]) -> None:
        self.memory, self.say = memory, say
        self.running: list[Need] = []
        self.waiting: list[Need] = []
        self.changed = threading.Condition()
        self.stopped = False

    @contextmanager
    def room(self, need: Need, note: Callable[[str], None]) -> Iterator[None]:
        """Hold room for a training while it runs, after waiting for it.

        Args:
            note: Told what is waited for.

        Raises:
            NoRoomError: there is less than the training needs for certain.
            StoppedError: no training may begin any more.
        """
        if need.least_bytes > self.memory.total_bytes:
            raise NoRoomError(
                f"needs at least {format_bytes(need.least_bytes)}, and there is "
                f"{format_bytes(self.memory.total_bytes)} in all"
            )
        self._await_turn(need, note)
        try:
            yield
        finally:
            with self.changed:
                self.running.remove(need)
                self.changed.notify_all()

    def stop(self) -> None:
        """Let no training begin any more."""
        with self.changed:
            self.stopped = True
            self.changed.notify_all()

    def _await_turn(self, need: Need, note: Callable[[str], None]) -> None:
        with self.changed:
            self.waiting.append(need)
            try:
                alone_since = time.monotonic()
                while not self.stopped:
                    if self.waiting[0] is need:  # else a small one could pass a large one for ever
                        if self.running:
                            alone_since = time.monotonic()
                        if not (obstacle := self._obstacle(need)):
                            self.running.append(need)
                            return
                        note(obstacle)
                        if time.monotonic() - alone_since > PATIENCE_SECONDS:
                            raise NoRoomError(f"other programs leave too little: {obstacle}")
                    self.changed.wait(LOOK_SECONDS)
                raise StoppedError
            finally:
                self.waiting.remove(need)
                self.changed.notify_all()

    def _obstacle(self, need: Need) -> str:
        """What keeps a training from beginning now; empty if nothing does."""
        if need.likely_bytes is None:
            return "waits to run alone: its memory cannot be predicted" if self.running else ""
        if any(running.likely_bytes is None for running in self.running):
            return "waits for a training whose memory cannot be predicted"
        free = self.memory.free_bytes()
        free -= self.memory.outstanding_bytes(self.running, free)
        if need.likely_bytes <= free:
            return ""
        if self.running or need.least_bytes > free:
            needed = need.likely_bytes if self.running else need.least_bytes
            return f"waits for memory: needs {format_bytes(needed)}, {format_bytes(max(0, free))} free"
        self.say(
            f"{need.name}: will likely need {format_bytes(need.likely_bytes)}, {format_bytes(free)} is free; "
            "it is trained all the same, as nothing else of ours runs"
        )
        return ""
