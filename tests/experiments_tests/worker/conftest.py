import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_jobs import TEXT_WORDS

from experiments.data.config import DataConfig
from experiments.data.tokens import Tokens, load_tokens


@pytest.fixture(scope="package", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GPT_ZOO_CACHE", str(root))
        yield root


@pytest.fixture(scope="package")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with about 10 KB of text in twelve documents."""
    folder = tmp_path_factory.mktemp("text")
    for number in range(12):
        chance = random.Random(number)
        (folder / f"{number}.txt").write_text(" ".join(chance.choice(TEXT_WORDS) for _ in range(180)) + "\n")
    return folder


@pytest.fixture(scope="package")
def tokens(text: Path, cache: Path) -> Tokens:
    corpus = {"kind": "text", "paths": [str(text)]}
    return load_tokens(DataConfig.model_validate({"corpus": corpus, "validation_bytes": 1500}))
