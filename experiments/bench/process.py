"""The process of a contestant, as the one that compares them sees it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from experiments.process_group import end_group

PRODUCTS = "products"
"""The library of the contestant that only multiplies."""
END_SECONDS = 10.0


class ContestantError(Exception):
    """A contestant cannot go on; the message says why."""


class ContestantProcess:
    """A contestant, which stays alive and idle between its turns. A context: leaving it ends the process.

    Args:
        asked: What it is: library, setting, config, batch_size, tokens, device, threads.
        log: File for what it says on its standard error.
    """

    def __init__(self, asked: dict[str, Any], log: Path) -> None:
        self.asked, self.log = asked, log
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> dict[str, Any]:
        """Build and warm up; what is known of it then.

        Raises:
            ContestantError: it failed.
        """
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                # -P: a folder of the user's that is called `experiments` must not stand in for this one.
                [sys.executable, "-P", "-m", "experiments.bench.contestant", json.dumps(self.asked)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                # Threads of one that waits for its turn sleep, instead of taking cores from who has it.
                env={"GOMP_SPINCOUNT": "3000", **os.environ},
            )
        return self._answer("ready")

    def turn(self, steps: int) -> dict[str, Any]:
        """Let it train so many steps, while all others wait.

        Raises:
            ContestantError: it failed.
        """
        assert self.process is not None
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # its last answer, or its exit code, tells why
            self.process.stdin.write(json.dumps({"steps": steps}) + "\n")
            self.process.stdin.flush()
        return self._answer("turn")

    def _answer(self, kind: str) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdout is not None
        with suppress(ValueError):  # the part of a message that a killed process leaves
            message = json.loads(self.process.stdout.readline())
            if kind in message:
                answer: dict[str, Any] = message[kind]
                return answer
            raise ContestantError(message["failed"])
        code = self.process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        hint = ", most likely for want of memory" if code == -signal.SIGKILL else ""
        raise ContestantError(f"the process ended with {how}{hint}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is None:
            return
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        end_group(self.process, END_SECONDS)  # torch.compile starts processes of its own
        self.process.wait()
