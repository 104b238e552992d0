"""Where and with what a comparison was made."""

import platform
from dataclasses import dataclass
from pathlib import Path

from experiments.bench.peers import PEERS
from experiments.bench.run import Bench
from experiments.environment import find_version, name_processor


@dataclass(frozen=True)
class Setup:
    """What all shapes have in common.

    Args:
        text: That is trained on, in words.
        versions: Of the libraries that are installed.
    """

    command: str
    rounds: int
    threads: int
    device: str
    text: str
    machine: str
    versions: dict[str, str | None]


def describe_setup(bench: Bench, command: str, text: Path | None) -> Setup:
    """That of this machine."""
    versions = {name: find_version(name) for name in ("torch", "gpt-zoo", *PEERS)}
    return Setup(
        command=command,
        rounds=bench.rounds,
        threads=bench.threads,
        device=bench.device,
        text=f"bytes of {'the standard library of Python' if text is None else text.name}",
        machine=f"{name_processor()}, Python {platform.python_version()}",
        versions={name: version for name, version in versions.items() if version is not None},
    )
