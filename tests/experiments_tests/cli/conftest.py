import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

QUICK = [
    "budget.steps=6",
    "training.batch_size=4",
    "training.evaluations=2",
    "training.threads=1",
    "data.max_bytes=60_000",
    "data.validation_bytes=2_000",
]
"""Settings in which a training takes a second; the files are real, and so is all that happens to them."""


@pytest.fixture(scope="session")
def token_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def gpt_zoo(tmp_path: Path, token_cache: Path) -> Command:
    """Runs the command in a folder of its own, as a person would."""

    def run(*arguments: str, quick: bool = False) -> subprocess.CompletedProcess[str]:
        settings = [word for setting in QUICK for word in ("--set", setting)] if quick else []
        return subprocess.run(
            [sys.executable, "-P", "-m", "experiments.cli.app", *arguments, *settings],
            cwd=tmp_path,
            env={**os.environ, "GPT_ZOO_CACHE": str(token_cache), "COLUMNS": "120"},
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run
