"""The machine that this runs on: whether it is well, and what it reaches, measured once and kept."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock
from pydantic import PositiveInt

from experiments.data.cache import cache_root
from experiments.environment import allowed_cores, describe_environment, find_version, name_processor
from experiments.progress import Silent, Task
from experiments.units import plural
from gpt_zoo.config.base import Declared
from gpt_zoo.files import written_whole

if TYPE_CHECKING:
    from experiments.tuning import Tuning
    from gpt_zoo.cost.roofline import Device

THIS = "this"
"""What the machine is called among devices."""
LITTLE_BYTES = 2**30


class MachineKey(Declared):
    """What a measurement depends upon: it is made anew where any of it differs."""

    processor: str
    cores: int | None
    torch: str | None
    threads: PositiveInt


def usable_threads() -> int:
    """Threads that torch computes with here: OMP_NUM_THREADS, or all cores that it may use."""
    if (wanted := os.environ.get("OMP_NUM_THREADS", "")).isdecimal() and int(wanted):
        return int(wanted)
    return allowed_cores()


def machine_key(threads: int | None = None) -> MachineKey:
    """That of this process; torch is not loaded for it.

    Args:
        threads: That are computed with; those that are usable unless given.
    """
    return MachineKey(
        processor=name_processor(),
        cores=psutil.cpu_count(logical=False),
        torch=find_version("torch"),
        threads=threads or usable_threads(),
    )


def _cache_file(key: MachineKey) -> Path:
    digest = hashlib.sha256(key.model_dump_json().encode()).hexdigest()[:16]
    return cache_root() / "machine" / f"{digest}.json"


def load_machine(threads: int | None = None) -> "list[Tuning]":
    """What was measured of this machine, the fastest device first; nothing if none or a damaged file is
    kept."""
    from experiments.tuning import Tuning

    try:
        kept = json.loads(_cache_file(machine_key(threads)).read_text("utf-8"))
        return [Tuning.model_validate(device) for device in kept["devices"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def load_tuning(device: str, threads: int | None = None) -> "Tuning | None":
    """What was measured of a device, as torch calls it; None if nothing."""
    return next((measured for measured in load_machine(threads) if measured.device == device), None)


def find_this_device() -> "Device":
    """The fastest device of this machine, as it was measured.

    Raises:
        ValueError: it has not been measured.
    """
    devices = load_machine()
    if not devices:
        raise ValueError(
            f"this machine has not been measured with {plural(usable_threads(), 'thread')} and this "
            "torch; run `gpt-zoo doctor` once"
        )
    return devices[0]


def measure_machine(
    task: Task | None = None, threads: int | None = None, again: bool = False
) -> "list[Tuning]":
    """Measure all devices of this machine, which takes seconds, and keep it for the next time.

    Two processes never measure at once, as both would find the machine slow: the later one waits, and takes
    what the other has kept.

    Args:
        task: Told what is being measured.
        threads: Of the processor, to compute with; those that are usable unless given.
        again: Measure even what is kept.
    """
    import torch

    from gpt_zoo.measure.machine import usable_devices

    key, task = machine_key(threads), task or Silent()
    task.update(0, "waiting for another measurement")
    with _measuring_alone():
        devices, kept = list(usable_devices()), load_machine(threads)
        if not again and [one.device for one in kept] == devices:  # none was added since
            return kept
        torch.set_num_threads(key.threads)
        measured = [_measure_device(name, key, task) for name in devices]
        task.update(0, "done")
        with suppress(OSError):  # `complaints` tells why, and `--device this` that nothing is kept
            keep_machine(key, measured)
    return measured


@contextmanager
def _measuring_alone() -> Iterator[None]:
    """Wait until no other process of this machine measures; for none where nothing can be kept."""
    folder = cache_root() / "machine"
    with ExitStack() as stack:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(folder / ".lock"))
        yield


def _measure_device(name: str, key: MachineKey, task: Task) -> "Tuning":
    from experiments.tuning import Tuning
    from gpt_zoo.measure.attention import measure_attention
    from gpt_zoo.measure.machine import measure_peaks

    def tell(note: str) -> None:
        task.update(0, note)

    peaks = measure_peaks(name, tell)
    label, memory = _describe(name, key)
    attention = [
        *measure_attention(name, "float32", tell=tell),
        *measure_attention(name, "bfloat16", tell=tell),
    ]
    return Tuning(
        name=THIS,
        label=label,
        memory_bytes=memory,
        kernels="cpu" if name == "cpu" else "cuda",
        bandwidth_bytes_per_second=peaks.bandwidth_bytes_per_second,
        float32_flops_per_second=peaks.float32_flops_per_second,
        bfloat16_flops_per_second=peaks.bfloat16_flops_per_second,
        source=f"measured here, {date.today().isoformat()}, torch {key.torch}",
        device=name,
        threads=key.threads,
        attention=tuple(attention),
    )


def keep_machine(key: MachineKey, measured: "list[Tuning]") -> None:
    """Write down what was measured.

    Raises:
        OSError: the cache cannot be written.
    """
    file = _cache_file(key)
    kept = {"key": key.model_dump(), "devices": [device.model_dump() for device in measured]}
    with written_whole(file.parent, file.name) as folder:
        (folder / file.name).write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def _describe(device: str, key: MachineKey) -> tuple[str, int]:
    """What it is called, and how much memory it has."""
    import torch

    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        return properties.name, properties.total_memory
    if device == "mps":
        return "Apple GPU", torch.mps.recommended_max_memory()
    return f"{key.processor}, {plural(key.threads, 'thread')}", psutil.virtual_memory().total


def examine() -> dict[str, Any]:
    """The health of this machine, as plain data: versions, memory, disk, the cache."""
    facts = describe_environment("", {})
    root = cache_root()
    kept = ("python", "packages", "system", "processor", "cores", "threads", "memory_bytes")
    return {name: facts[name] for name in kept} | {
        "threads_used": usable_threads(),
        "free_memory_bytes": psutil.virtual_memory().available,
        "free_disk_bytes": shutil.disk_usage(_existing(root)).free,
        "cache": str(root),
        "cache_bytes": {folder.name: _size(folder) for folder in _folders(root)},
    }


def complaints(health: dict[str, Any]) -> Iterator[str]:
    """What of it will make trouble, with the way out."""
    for name, version in health["packages"].items():
        if version is None:
            yield f"{name} is not installed; install gpt-zoo anew"
    for what in ("memory", "disk"):
        free = health[f"free_{what}_bytes"]
        if free < LITTLE_BYTES:
            yield f"there is little {what} left, {free / 2**20:.0f} MiB; end or remove something"
    place = _existing(Path(health["cache"]))
    if not (place.is_dir() and os.access(place, os.W_OK)):
        yield f"the cache {health['cache']} cannot be written; set GPT_ZOO_CACHE to a folder of your own"


def _existing(path: Path) -> Path:
    """The nearest folder around a path that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
