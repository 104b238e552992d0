import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.data.config import DataConfig
from experiments.data.tokens import Tokens, load_tokens


@pytest.fixture(scope="package")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    """About 10 KB of text in twelve documents, one token a byte."""
    folder = tmp_path_factory.mktemp("text")
    words = ["the", "sea", "a", "bird", "sings", "falls", "rises", "over", "under", "grey", "sky", "again"]
    for number in range(12):
        chance = random.Random(number)
        (folder / f"{number}.txt").write_text(" ".join(chance.choice(words) for _ in range(180)) + "\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GPT_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        corpus = {"kind": "text", "paths": [str(folder)]}
        yield load_tokens(DataConfig.model_validate({"corpus": corpus, "validation_bytes": 1500}))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "states" / "state.safetensors"
