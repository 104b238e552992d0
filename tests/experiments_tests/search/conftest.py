import random
from collections.abc import Iterator

import pytest
from tiny_searches import Searches

WORDS = ["the", "sea", "a", "bird", "sings", "falls", "rises", "over", "under", "grey", "sky", "again"]


@pytest.fixture(scope="package")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searches]:
    """Declares searches on about 10 KB of text in twelve documents."""
    folder = tmp_path_factory.mktemp("text")
    for number in range(12):
        chance = random.Random(number)
        (folder / f"{number}.txt").write_text(" ".join(chance.choice(WORDS) for _ in range(180)) + "\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GPT_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield Searches(folder)
