import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from experiments.data.config import DataConfig
from experiments.data.errors import DataError
from experiments.data.tokens import load_tokens, open_tokens
from experiments.progress import Silent


def config_of(folder: Path, **values) -> DataConfig:
    values = {"tokenizer": {"kind": "bytes"}, "validation_fraction": 0.3, "validation_bytes": 3000} | values
    return DataConfig.model_validate({"corpus": {"kind": "text", "paths": [str(folder)]}, **values})


BPE = {"kind": "bpe", "vocab_size": 400}


class Recording(Silent):
    """Notes which work was done, and how far it came."""

    def __init__(self):
        self.done = {}
        self.messages = []

    def task(self, name, total=None):
        self.name, self.total = name, total
        self.done[name] = 0
        return self

    def update(self, done, note=""):
        assert done >= self.done[self.name]
        self.done[self.name] = done

    def message(self, text):
        self.messages.append(text)


def documents_of(tokens, side: str) -> list[str]:
    ids = getattr(tokens, side)
    starts = np.flatnonzero(ids == tokens.tokenizer.separator)
    assert starts[0] == 0
    return [tokens.tokenizer.decode(part[1:].tolist()) for part in np.split(ids, starts[1:])]


@pytest.mark.parametrize("tokenizer", [{"kind": "bytes"}, BPE])
def test_both_sides_are_the_documents_with_exact_counts(poems, tokenizer):
    folder = poems(40)
    tokens = load_tokens(config_of(folder, tokenizer=tokenizer))
    train, validation = documents_of(tokens, "train"), documents_of(tokens, "validation")
    assert not set(train) & set(validation)
    assert set(train + validation) <= {path.read_text("utf-8") for path in folder.iterdir()}
    assert (tokens.train_documents, tokens.validation_documents) == (len(train), len(validation))
    assert tokens.train_bytes == sum(len(text.encode()) for text in train)
    assert tokens.validation_bytes == sum(len(text.encode()) for text in validation) >= 3000
    assert tokens.lossless
    assert tokens.train.dtype == np.uint16
    assert isinstance(tokens.train, np.memmap)
    assert tokens.train.max() < tokens.vocab_size


def test_every_tokenizer_is_evaluated_on_the_same_text(poems):
    folder = poems(40)
    by_bytes, by_bpe = (load_tokens(config_of(folder, tokenizer=kind)) for kind in ({"kind": "bytes"}, BPE))
    assert documents_of(by_bytes, "validation") == documents_of(by_bpe, "validation")
    assert by_bytes.validation_bytes == by_bpe.validation_bytes
    assert by_bytes.content_hash == by_bpe.content_hash
    assert len(by_bpe.validation) < len(by_bytes.validation)


def test_renamed_files_are_evaluated_in_the_same_order(poems, tmp_path: Path):
    folder = poems(30)
    before = load_tokens(config_of(folder)).validation
    for number, path in enumerate(sorted(folder.iterdir(), reverse=True)):
        path.rename(folder / f"renamed {number:03d}")
    np.testing.assert_array_equal(load_tokens(config_of(folder)).validation, before)


def test_duplicates_are_trained_on_twice_and_evaluated_once(poems):
    folder = poems(30)
    once = load_tokens(config_of(folder))
    for path in list(folder.iterdir()):
        shutil.copy(path, folder / f"copy of {path.name}")
    twice = load_tokens(config_of(folder))
    assert twice.train_documents == 2 * once.train_documents
    np.testing.assert_array_equal(twice.validation, once.validation)


def test_bpe_learns_from_training_text_only(poems):
    folder = poems(30)
    words = [f"zyx{chr(97 + number // 6)}{chr(97 + number % 6)}" for number in range(30)]
    for number, word in enumerate(words):
        (folder / f"strange {number}.txt").write_text(f" {word}" * 1000)
    tokens = load_tokens(config_of(folder, tokenizer={"kind": "bpe", "vocab_size": 900}))
    trained_on = " ".join(documents_of(tokens, "train"))
    lengths = {word: len(tokens.tokenizer.encode(f" {word}")) for word in words}
    seen = {word for word in words if f" {word} " in trained_on}
    assert 10 < len(seen) < 29
    assert {word for word, length in lengths.items() if length == 1} == seen


def test_the_second_time_nothing_is_tokenized(poems, cache: Path):
    config = config_of(poems(20), tokenizer=BPE)
    first, second = Recording(), Recording()
    tokens = load_tokens(config, first)
    size = sum(path.stat().st_size for path in Path(config.corpus.paths[0]).iterdir())
    assert first.done == {
        "looking at the files": 20,
        "reading the text": size,
        "tokenizing": size,
        "training the tokenizer": size,
    }
    again = load_tokens(config, second)
    assert set(second.done) == {"looking at the files", "reading the text"}
    assert again.folder == tokens.folder
    assert tokens.folder.parent == cache / "tokens"
    # Another amount of evaluation needs no other tokenizer.
    third = Recording()
    assert load_tokens(config_of(poems(0), tokenizer=BPE, validation_bytes=1), third).folder != tokens.folder
    assert "training the tokenizer" not in third.done


def test_the_folder_is_all_that_a_trial_needs(poems):
    folder = poems(20)
    tokens = load_tokens(config_of(folder, tokenizer=BPE))
    shutil.rmtree(folder)
    again = open_tokens(tokens.folder)
    np.testing.assert_array_equal(again.train, tokens.train)
    np.testing.assert_array_equal(again.validation, tokens.validation)
    assert again.validation_bytes == tokens.validation_bytes
    assert again.tokenizer.encode("Ode 1") == tokens.tokenizer.encode("Ode 1")


@pytest.mark.parametrize(
    "change",
    [
        {"validation_fraction": 0.5},
        {"validation_bytes": 10_000},
        {"max_bytes": 15_000},
        {"tokenizer": BPE},
        {"tokenizer": {"kind": "bpe", "vocab_size": 300}},
    ],
)
def test_other_settings_are_other_tokens(poems, change):
    folder = poems(30)
    assert load_tokens(config_of(folder, **change)).folder != load_tokens(config_of(folder)).folder


def test_changed_text_is_other_tokens(poems):
    folder = poems(20)
    before = load_tokens(config_of(folder))
    poems(1, first=20)
    after = load_tokens(config_of(folder))
    assert after.content_hash != before.content_hash
    assert after.train_documents + after.validation_documents >= before.train_documents


def test_a_tokenizer_that_loses_text_is_told(poems, tmp_path: Path):
    lossy = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0, "sea": 1, "Ode": 2}, unk_token="?"))
    lossy.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    lossy.save(str(tmp_path / "tokenizer.json"))
    heard = Recording()
    config = config_of(poems(20), tokenizer={"kind": "file", "path": str(tmp_path / "tokenizer.json")})
    tokens = load_tokens(config, heard)
    assert not tokens.lossless
    assert not load_tokens(config).lossless
    assert "bits per byte" in heard.messages[0]


def test_a_tokenizer_without_tokens_is_refused(poems, tmp_path: Path):
    silent = tokenizers.Tokenizer(tokenizers.models.BPE())
    silent.save(str(tmp_path / "tokenizer.json"))
    config = config_of(poems(20), tokenizer={"kind": "file", "path": str(tmp_path / "tokenizer.json")})
    with pytest.raises(DataError, match="makes no tokens of"):
        load_tokens(config)


def test_large_vocabularies_take_four_bytes(poems, tmp_path: Path):
    vocabulary = {str(number): number for number in range(70_000)} | {"?": 70_000}
    wide = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="?"))
    wide.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    wide.save(str(tmp_path / "tokenizer.json"))
    path = str(tmp_path / "tokenizer.json")
    tokens = load_tokens(config_of(poems(20), tokenizer={"kind": "file", "path": path}))
    assert tokens.train.dtype == np.uint32
    assert tokens.train.max() == 70_000


def test_a_text_too_short_for_the_context_is_told(poems):
    tokens = load_tokens(config_of(poems(6), validation_bytes=1))
    short = len(tokens.validation)
    tokens.require(short - 1)
    with pytest.raises(
        DataError, match=rf"needs {short + 1} tokens, but the validation text has {short}.*{short - 1}"
    ):
        tokens.require(short)
    with pytest.raises(DataError, match=r"the train text has .*give more text, or lower context_length"):
        tokens.require(10**6)


def test_a_corpus_larger_than_memory_is_streamed(tmp_path: Path):
    path = tmp_path / "large.txt"
    with path.open("w") as file:
        for number in range(500):
            file.writelines(f"line {line} of part {number}, and so on and so forth\n" for line in range(1000))
    config = config_of(path)
    load_tokens(config_of(tmp_path / "large.txt", max_bytes=100_000))  # imports are not counted
    tracemalloc.start()
    tokens = load_tokens(config)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tokens.train_bytes > 15_000_000
    assert peak < 10_000_000


def test_the_standard_library_is_tokenized_by_default():
    tokens = load_tokens(DataConfig())
    tokens.require(1024)
    assert tokens.train_bytes + tokens.train_documents == len(tokens.train) > 4_000_000
    assert tokens.validation_bytes + tokens.validation_documents == len(tokens.validation)
    assert 65_536 <= tokens.validation_bytes < 65_536 + 64 * 1024
