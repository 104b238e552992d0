import random
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT_ZOO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def text(tmp_path: Path) -> dict[str, Any]:
    """Some text of one's own, as an experiment declares it."""
    folder = tmp_path / "text"
    folder.mkdir()
    for number in range(12):
        chance = random.Random(number)
        (folder / f"{number}.txt").write_text(
            " ".join(chance.choice(["one", "two", "red"]) for _ in range(300))
        )
    return {"corpus": {"kind": "text", "paths": [str(folder)]}, "validation_bytes": 1500}
