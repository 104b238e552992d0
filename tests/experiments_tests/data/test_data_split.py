from dataclasses import dataclass
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.errors import DataError
from experiments.data.split import read_documents, split_corpus
from experiments.progress import Silent


@dataclass
class Listed:
    documents: list[str]
    name: str = "the list"
    total_bytes: int | None = None

    def __iter__(self):
        return iter(self.documents)


def sides(documents: list[str], fraction: float, wanted_bytes: int = 10**9):
    """The texts that are trained on, evaluated, and set aside, each in the order of the corpus."""
    corpus = Listed(documents)
    split = split_corpus(corpus, fraction, wanted_bytes, Silent())
    trained, evaluated, aside = [], [], []
    for document in read_documents(corpus, Silent(), "sorting"):
        if split.is_trained_on(document):
            trained.append(document.text)
        else:
            (evaluated if document.hash in split.evaluated else aside).append(document.text)
    return trained, evaluated, aside


def hash_of(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest()[:8], "big")


corpora = st.lists(st.text(min_size=1, max_size=9), min_size=2, max_size=40).filter(
    lambda texts: len(set(texts)) > 1
)


@given(documents=corpora, fraction=st.floats(0.01, 0.99), wanted_bytes=st.integers(1, 200))
def test_every_split_is_sound(documents, fraction, wanted_bytes):
    trained, evaluated, aside = sides(documents, fraction, wanted_bytes)
    assert sorted(trained + evaluated + aside) == sorted(documents)
    assert trained
    assert evaluated
    assert not set(trained) & set(evaluated + aside)
    # Whole documents in the order of their hashes, until there are enough bytes and no further.
    distinct = sorted(set(evaluated), key=hash_of)
    assert sum(len(text.encode()) for text in distinct[:-1]) < wanted_bytes
    if aside:
        assert sum(len(text.encode()) for text in distinct) >= wanted_bytes
        assert max(map(hash_of, evaluated)) < min(map(hash_of, aside))


@given(documents=corpora, more=st.lists(st.text(min_size=1, max_size=9)), fraction=st.floats(0.2, 0.8))
def test_no_document_changes_sides_when_others_are_added(documents, more, fraction):
    limit = fraction * 2**64
    before, _, _ = sides(documents, fraction)
    after, _, _ = sides(documents + more, fraction)
    below = {text for text in documents if hash_of(text) < limit}
    # Only a side that would have been empty borrows a document.
    if below and len(below) < len(set(documents)):
        assert set(before) == set(documents) - below == set(after) & set(documents)


@given(documents=corpora, data=st.data())
def test_the_evaluated_text_does_not_depend_on_the_order(documents, data):
    shuffled = data.draw(st.permutations(documents))
    assert set(sides(documents, 0.5, 20)[1]) == set(sides(shuffled, 0.5, 20)[1])


def test_about_the_wanted_share_is_held_out():
    documents = [f"document {number}" for number in range(4000)]
    trained, evaluated, aside = sides(documents, 0.1, 500)
    assert 3500 < len(trained) < 3700
    assert 500 <= sum(len(text) for text in evaluated) < 513
    assert len(aside) > 250


def test_a_side_that_would_be_empty_gets_one_document():
    documents = ["a", "b", "c"]
    ordered = sorted(documents, key=hash_of)
    assert sides(documents, 1e-9)[1] == ordered[:1]
    assert sides(documents, 1 - 1e-9)[0] == ordered[-1:]


def test_the_content_hash_tells_texts_apart():
    def content(documents):
        return split_corpus(Listed(documents), 0.5, 10, Silent()).content_hash

    assert content(["ab", "c"]) == content(["ab", "c"])
    assert len({content(texts) for texts in (["ab", "c"], ["a", "bc"], ["c", "ab"], ["ab", "c", "c"])}) == 4


def test_too_few_documents_are_told():
    with pytest.raises(DataError, match="there is no text in the list"):
        sides([], 0.5)
    with pytest.raises(DataError, match=r"the list has one document, .*add files.*above 64 KiB"):
        sides(["a"], 0.5)
    with pytest.raises(DataError, match=r"one document \(3 times the same\)"):
        sides(["a", "a", "a"], 0.5)


def test_a_corpus_that_changes_between_readings_is_noticed():
    corpus = Listed(["a", "b"])
    split = split_corpus(corpus, 0.5, 10, Silent())
    corpus.documents = ["a", "c"]
    with pytest.raises(DataError, match="the list was changed while it was read"):
        list(read_documents(corpus, Silent(), "reading", split.content_hash))
