from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "cache"
    monkeypatch.setenv("GPT_ZOO_CACHE", str(root))
    return root


@pytest.fixture
def poems(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of text files, each of its own words."""

    def make(count: int, name: str = "poems", first: int = 0) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for number in range(first, first + count):
            lines = [f"Ode {number}, line {line}: the sea, the séa, {number * line}.\n" for line in range(20)]
            (folder / f"{number:04d}.txt").write_text("".join(lines), "utf-8")
        return folder

    return make
