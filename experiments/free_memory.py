"""The memory that trainings share: of this machine, or of a GPU."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from experiments.launch import Memory, Need
from experiments.worker import Worker

HOST_PROCESS_BYTES = 300 * 2**20
"""A worker with torch holds 236 MB of its own, and its fork, before a model is built, 40 more: measured with
torch 2.13 on Linux."""
CUDA_PROCESS_BYTES = 2**30
"""A CUDA context with its kernels and the workspace of cuBLAS; an upper estimate, not measured."""
CGROUPS = Path("/sys/fs/cgroup")


class HostMemory:
    """Of this machine, or what its control group leaves of it."""

    process_bytes = HOST_PROCESS_BYTES

    def __init__(self) -> None:
        self.groups = list(_memory_groups())
        limits = [limit for group in self.groups if (limit := _read_bytes(group, LIMITS)) is not None]
        self.total_bytes = min([psutil.virtual_memory().total, *limits])

    def free_bytes(self) -> int:
        """What programs could have without swapping."""
        return min([psutil.virtual_memory().available, *map(_group_free_bytes, self.groups)])

    def outstanding_bytes(self, running: Sequence[Need], free_bytes: int) -> int:
        """What each has not taken yet."""
        return sum(max(0, (need.likely_bytes or 0) - need.used_bytes()) for need in running)


class CudaMemory:
    """Of a GPU. Asked in a process of its own: this one must not load torch, nor hold a CUDA context.

    Args:
        worker: That asks; for nothing else.
    """

    process_bytes = CUDA_PROCESS_BYTES

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.idle_bytes, self.total_bytes = worker.find_cuda_memory()

    def free_bytes(self) -> int:
        """What the driver would give."""
        return self.worker.find_cuda_memory()[0]

    def outstanding_bytes(self, running: Sequence[Need], free_bytes: int) -> int:
        """What all together have not taken yet of what was free without them: it tells not who has what."""
        if not running:
            self.idle_bytes = free_bytes
        return max(0, sum(need.likely_bytes or 0 for need in running) - (self.idle_bytes - free_bytes))


def open_memory(device: str, worker: Worker) -> Memory:
    """The memory that trainings on `device` share."""
    return CudaMemory(worker) if device == "cuda" else HostMemory()


def worker_bytes(worker: Worker) -> int:
    """Memory that the processes of a worker have for themselves; none, where it has ended."""
    if worker.process is None:
        return 0
    with suppress(psutil.Error):
        server = psutil.Process(worker.process.pid)
        memory = server.memory_info()
        own = memory.rss - getattr(memory, "shared", 0)
        # Of a fork only what it does not share with the one that forked it.
        return int(own + sum(child.memory_full_info().uss for child in server.children()))
    return 0


LIMITS = ("memory.max", "memory.limit_in_bytes")
USED = ("memory.current", "memory.usage_in_bytes")
"""Files of a control group, version 2 and 1."""


def _memory_groups() -> Iterator[Path]:
    """The control groups which limit the memory of this process, the inmost first."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root = CGROUPS / ("memory" if controllers else "")
            # In a container the path is often that of the host, and its own group is at the root.
            group = root / path.lstrip("/")
            for folder in (group, *group.parents):
                if folder.is_relative_to(root) and _read_bytes(folder, LIMITS) is not None:
                    yield folder


def _group_free_bytes(group: Path) -> int:
    """What a control group leaves; pages of files that it would drop are free."""
    limit, used = _read_bytes(group, LIMITS) or 0, _read_bytes(group, USED) or 0
    droppable = 0
    with suppress(OSError):
        for line in (group / "memory.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name in ("inactive_file", "total_inactive_file"):
                droppable = max(droppable, int(value))
    return max(0, limit - max(0, used - droppable))


def _read_bytes(group: Path, names: tuple[str, ...]) -> int | None:
    """A number of bytes from the first of the files that is there; None where it is not, or says `max`."""
    for name in names:
        with suppress(OSError, ValueError):
            return int((group / name).read_text())
    return None
