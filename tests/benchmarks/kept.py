"""Measurements that take long, kept one by one: a benchmark that was cut off goes on where it was."""

import json
from collections.abc import Callable
from pathlib import Path


def kept_in(path: Path) -> Callable[[str, Callable[[], object]], object]:
    """Looks a measurement up, or makes and keeps it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, object] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            kept.update(json.loads(line))

    def measure(key: str, make: Callable[[], object]) -> object:
        if key not in kept:
            kept[key] = make()
            print(key, kept[key], flush=True)
            with path.open("a") as file:
                file.write(json.dumps({key: kept[key]}) + "\n")
        return kept[key]

    return measure
