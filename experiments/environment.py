"""Where a run took place: what one needs to judge its times, and to repeat it."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("gpt-zoo", "torch", "pydantic", "optuna", "pandas", "fvcore", "numpy", "tokenizers")


def describe_environment(corpus_hash: str, devices: dict[str, str]) -> dict[str, Any]:
    """Versions, hardware, the git commit of the working folder, the corpus, as plain data.

    Args:
        corpus_hash: Of the text that is trained on.
        devices: What torch can compute on, with descriptions.
    """
    import psutil

    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: find_version(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": name_processor(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "devices": devices,
        "git_commit": _git_commit(),
        "corpus_hash": corpus_hash,
    }


def find_version(package: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def name_processor() -> str:
    """The name of the processor; `platform` tells only its family on Linux."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def allowed_cores() -> int:
    """Cores that this process may compute on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _git_commit() -> str | None:
    """Of the working folder, where experiments are kept under version control; `+` if it has changes."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    return answer.stdout.strip()
