"""The machine that this runs on: whether it is well, and what it reaches, measured once and kept."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from pydantic import PositiveInt

from experiments.data.cache import cache_root
from experiments.environment import allowed_cores, describe_environment, find_version, name_processor
from experiments.progress import Progress, Silent
from experiments.units import plural
from gpt_zoo.config.base import Declared
from gpt_zoo.files import written_whole

if TYPE_CHECKING:
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


def machine_key() -> MachineKey:
    """That of this process; torch is not loaded for it."""
    return MachineKey(
        processor=name_processor(),
        cores=psutil.cpu_count(logical=False),
        torch=find_version("torch"),
        threads=usable_threads(),
    )


def _cache_file(key: MachineKey) -> Path:
    digest = hashlib.sha256(key.model_dump_json().encode()).hexdigest()[:16]
    return cache_root() / "machine" / f"{digest}.json"


def load_machine() -> "list[Device]":
    """What was measured of this machine, the fastest device first; nothing if none or a damaged file is
    kept."""
    from gpt_zoo.cost.roofline import Device

    try:
        kept = json.loads(_cache_file(machine_key()).read_text("utf-8"))
        return [Device.model_validate(device) for device in kept["devices"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


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


def measure_machine(progress: Progress | None = None) -> "list[Device]":
    """Measure all devices of this machine, which takes seconds, and keep it for the next time."""
    import torch

    from gpt_zoo.cost.roofline import Device
    from gpt_zoo.measure.machine import measure_peaks, usable_devices

    key, progress = machine_key(), progress or Silent()
    torch.set_num_threads(key.threads)
    devices = []
    with progress.task("measuring this machine") as task:
        for name in usable_devices():
            peaks = measure_peaks(name, lambda note: task.update(0, note))
            label, memory = _describe(name, key)
            devices.append(
                Device(
                    name=THIS,
                    label=label,
                    memory_bytes=memory,
                    kernels="cpu" if name == "cpu" else "cuda",
                    bandwidth_bytes_per_second=peaks.bandwidth_bytes_per_second,
                    float32_flops_per_second=peaks.float32_flops_per_second,
                    bfloat16_flops_per_second=peaks.bfloat16_flops_per_second,
                    source=f"measured here, {date.today().isoformat()}, torch {key.torch}",
                )
            )
        task.update(0, "done")
    with suppress(OSError):  # `complaints` tells why, and `--device this` that nothing is kept
        _keep(key, devices)
    return devices


def _keep(key: MachineKey, devices: "list[Device]") -> None:
    file = _cache_file(key)
    kept = {"key": key.model_dump(), "devices": [device.model_dump() for device in devices]}
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
