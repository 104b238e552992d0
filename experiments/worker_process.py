"""The process that trains: imports torch once, then forks for each request that comes in. See `worker`."""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

from experiments.doctor import measure_machine
from experiments.failures import first_line, is_want_of_memory
from experiments.record import Status
from experiments.trial_job import TrialJob
from gpt_zoo.config.gpt import GPTConfig
from registry.plugins import load_plugins

REPORT_SECONDS = 0.1


class Reporter:
    """A Task that tells progress over the pipe, not more often than anyone can see."""

    def __init__(self, pipe: IO[str]) -> None:
        self.pipe = pipe
        self.last = 0.0

    def update(self, done: float, note: str = "") -> None:
        """Tell it, if the last time is long enough ago."""
        now = time.monotonic()
        if now - self.last > REPORT_SECONDS or done >= 1:
            self.last = now
            say(self.pipe, {"progress": done, "note": note})


def say(pipe: IO[str], message: dict[str, Any]) -> None:
    """Send one message."""
    pipe.write(json.dumps(message) + "\n")
    pipe.flush()


def answer(line: str, pipe: IO[str]) -> int:
    """Do what a request asks for; the exit code of the process that does it."""
    request = json.loads(line)
    try:
        if "job" in request:
            say(pipe, {"record": train(request["job"], pipe)})
        elif "cuda_memory" in request:
            say(pipe, {"cuda_memory": find_cuda_memory()})
        elif "measure" in request:
            measured = measure_machine(Reporter(pipe), request["measure"])
            say(pipe, {"measured": [device.model_dump(mode="json") for device in measured]})
        else:
            say(pipe, {"devices": describe_devices()})
    except (KeyboardInterrupt, BrokenPipeError):
        return 1  # we were told to end, or nobody waits for the answer any more
    return 0


def end_with(work: Callable[[str, IO[str]], int], line: str, pipe: IO[str]) -> NoReturn:
    """Do the work and end this process, which must never return into the loop of its parent."""
    code = 1
    try:
        code = work(line, pipe)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def train(job_data: dict[str, Any], pipe: IO[str]) -> dict[str, Any]:
    """The record of a job as plain data. An exception is a record too."""
    from experiments.trial import run_trial

    with suppress(OSError):  # where memory runs out, the kernel should take this process, not the search
        Path("/proc/self/oom_score_adj").write_text("500")
    job = TrialJob.model_validate(job_data)
    try:
        record = run_trial(job, Reporter(pipe))
    except BrokenPipeError:
        raise
    except Exception as error:
        traceback.print_exc()
        record = job.record.model_copy(update=explain(error))
    return record.model_dump(mode="json")


def explain(error: Exception) -> dict[str, Any]:
    """What to record of a training that ended with an exception."""
    status = Status.OUT_OF_MEMORY if is_want_of_memory(error) else Status.FAILED
    return {"status": status, "reason": first_line(error)}


def describe_devices() -> dict[str, str]:
    """What torch can compute on here, by name; the first is what `auto` takes."""
    import torch

    devices = {}
    if torch.cuda.is_available():
        devices["cuda"] = torch.cuda.get_device_name()
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    return {**devices, "cpu": f"{os.cpu_count()} cores"}


def find_cuda_memory() -> tuple[int, int]:
    """Bytes of the GPU: free, and in all."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return free, total


@cache
def load_tracing() -> None:
    """Import what torch imports no sooner than a model is traced.

    A fork that finds it loaded saves the seconds that it takes, trial for trial.
    """
    from experiments.trial import check_flops

    check_flops(GPTConfig(vocab_size=2, context_length=1, emb_dim=2, n_heads=1, n_layers=1))


def know_plugins(modules: list[str], path: list[str]) -> None:
    """Load what the process that started this one has loaded, from wherever it found it."""
    sys.path.extend(folder for folder in path if folder not in sys.path)
    load_plugins(modules)


def main() -> None:
    """Fork for each request, until no more can come. The argument tells the plug-ins."""
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not garble the protocol
    know_plugins(**json.loads(sys.argv[1]))
    import experiments.trial  # noqa: F401 - torch is loaded once, before the first fork
    from experiments.training.allocator import keep_freed_memory

    keep_freed_memory()

    # The end is told by SIGTERM, which becomes a KeyboardInterrupt: a training then keeps its state first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    child = None
    with suppress(KeyboardInterrupt, BrokenPipeError):
        for line in sys.stdin:
            if "job" in json.loads(line):
                load_tracing()
            child = os.fork()
            if child == 0:
                end_with(answer, line, pipe)
            _, status = os.waitpid(child, 0)
            child = None
            pipe.write("\n")  # ends the line that a killed process may have left half-written
            say(pipe, {"exit": os.waitstatus_to_exitcode(status)})
    if child:
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


if __name__ == "__main__":
    main()
