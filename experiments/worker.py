"""Trials in processes of their own, as the caller sees them.

A trial can then neither take the search down with it (out of memory, a crash of a kernel) nor colour the next
one's memory, and it can be ended at any time. `Worker` starts `experiments.worker_process`, which imports
torch once and forks for each request. Both sides speak JSON, one object a line:

    to the worker     {"job": TrialJob}, {"devices": true}, {"cuda_memory": true} or {"measure": threads}
    from the worker   {"progress": 0.25, "note": "loss 3.1"} ..., {"record": {...}}, {"devices": {...}},
                      {"cuda_memory": [free, total]} or {"measured": [...]}, and last {"exit": code}
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from experiments.launch import StoppedError
from experiments.process_group import end_group
from experiments.progress import Task
from experiments.record import Status, TrialRecord
from experiments.trial_job import TrialJob
from registry.plugins import named_plugins

STOP_SECONDS = 20.0
"""An interrupted training has this long to keep its state."""


class Worker:
    """Runs requests one after the other, each in a fresh process. A context: leaving it ends the processes.

    Args:
        log: File for what the processes say on their standard error.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process: subprocess.Popen[str] | None = None
        self.starting = threading.Lock()
        self.interrupted = False

    def run(self, job: TrialJob, task: Task) -> TrialRecord:
        """Train what `job` declares; always a record, whatever becomes of the process."""
        record = None
        for message in self._ask({"job": job.model_dump(mode="json")}):
            if "progress" in message:
                task.update(message["progress"], message["note"])
            elif "record" in message:
                record = TrialRecord.model_validate(message["record"])
            else:
                return record or job.record.model_copy(update=self._explain(message["exit"]))
        raise AssertionError("the last message is always an exit code")

    def find_devices(self) -> dict[str, str]:
        """The devices that torch can use on this machine, each with its description.

        Raises:
            RuntimeError: torch cannot be loaded; the log says why.
        """
        for message in self._ask({"devices": True}):
            if "devices" in message:
                devices: dict[str, str] = message["devices"]
            elif message["exit"] != 0:
                raise RuntimeError(f"torch cannot be loaded; see {self.log}")
        return devices

    def require_device(self, wanted: str) -> dict[str, str]:
        """All devices, among them the wanted one; `auto` is any.

        Raises:
            ValueError: it is not there.
        """
        devices = self.find_devices()
        if wanted not in ("auto", *devices):
            raise ValueError(f"device `{wanted}` is not there; usable are: auto, {', '.join(devices)}")
        return devices

    def find_cuda_memory(self) -> tuple[int, int]:
        """Bytes of the GPU that trainings run on: free, and in all.

        Raises:
            RuntimeError: it cannot be asked; the log says why.
        """
        for message in self._ask({"cuda_memory": True}):
            if "cuda_memory" in message:
                free, total = message["cuda_memory"]
            elif message["exit"] != 0:
                raise RuntimeError(f"the GPU cannot be asked for its memory; see {self.log}")
        return free, total

    def measure(self, threads: int | None, task: Task) -> list[dict[str, Any]]:
        """What is measured of the devices of this machine; nothing if that fails, and the log says why.

        Args:
            threads: Of the processor, to compute with; those that are usable unless given.
            task: Told what is being measured.
        """
        measured: list[dict[str, Any]] = []
        for message in self._ask({"measure": threads}):
            if "progress" in message:
                task.update(message["progress"], message["note"])
            measured = message.get("measured", measured)
        return measured

    def interrupt(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the processes from another thread than the one that waits for them, and let it start no more.

        By SIGTERM a training keeps its state first.
        """
        with self.starting:
            self.interrupted = True
            process = self.process
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def _ask(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The answers to a request; the last one is {"exit": code}."""
        process = self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it died meanwhile: its exit code tells
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            message = _read_message(line)
            if message is None:
                continue
            yield message
            if "exit" in message:
                return
        yield {"exit": self._forget()}

    def _forget(self) -> int:
        """Let go of a process that has ended; its exit code."""
        process, self.process = self.process, None
        assert process is not None
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):  # what it was not told any more
                pipe.close()
        return process.wait()

    def _start(self) -> "subprocess.Popen[str]":
        if self.process is not None and self.process.poll() is not None:
            self._forget()  # it died between two requests, which is no fault of the next one
        with self.starting:
            if self.interrupted:
                raise StoppedError
            if self.process is None:
                self.process = self._spawn()
            return self.process

    def _spawn(self) -> "subprocess.Popen[str]":
        self.log.parent.mkdir(parents=True, exist_ok=True)
        plugins = json.dumps({"modules": named_plugins(), "path": sys.path})
        with self.log.open("a") as log:
            return subprocess.Popen(
                # -P: a folder of the user's that is called `experiments` must not stand in for this one.
                [sys.executable, "-P", "-m", "experiments.worker_process", plugins],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # A session of its own, so that Ctrl-C reaches us alone and we end it in order.
                start_new_session=True,
                env=_environment(),
            )

    def _explain(self, code: int) -> dict[str, Any]:
        """What to record of a process that ended without a record."""
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
            reason = "the system killed the process (signal 9), most likely for want of memory"
            return {"status": Status.OUT_OF_MEMORY, "reason": reason}
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return {"status": Status.FAILED, "reason": f"the process ended with {how}; see {self.log.name}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is None:
            return
        with suppress(KeyboardInterrupt):  # it asks for what is being done
            end_group(self.process, STOP_SECONDS)
        self._forget()


def _read_message(line: str) -> dict[str, Any] | None:
    """One message; None for anything else, such as the part of one that a killed process leaves."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _environment() -> dict[str, str]:
    """The environment variables of the processes."""
    paths = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        # How long a thread spins before it sleeps. A step of gpt-nano, two threads on two cores: 120 ms by
        # OpenMP's default and 125 with this; beside two busy processes 460, and 300 with this.
        "GOMP_SPINCOUNT": "3000",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # CUDA must not begin before the fork
    }
