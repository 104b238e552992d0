import codecs
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.data.config import DataConfig
from experiments.data.corpora import open_corpus
from experiments.data.corpora import pieces as pieces_module
from experiments.data.corpora.pieces import read_documents
from experiments.data.errors import DataError
from experiments.progress import Silent


class Heard(Silent):
    def __init__(self):
        self.messages = []

    def message(self, text: str) -> None:
        self.messages.append(text)


def read(paths, progress=None, **options):
    paths = [str(path) for path in paths]
    config = DataConfig.model_validate({"corpus": {"kind": "text", "paths": paths, **options}})
    return list(open_corpus(config, progress or Silent()))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / "inner").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "b.txt").write_text("second")
    (folder / "a.md").write_text("first")
    (folder / "inner" / "c.txt").write_text("third")
    (folder / "empty.txt").write_text("")
    (folder / ".hidden" / "d.txt").write_text("hidden")
    (folder / ".e.txt").write_text("hidden")
    (folder / "picture.png").write_bytes(b"\x89PNG\0\0")
    return folder


def test_a_folder_is_its_text_files_in_order_without_hidden_and_binary_ones(library: Path):
    heard = Heard()
    assert read([library], heard) == ["first", "second", "third"]
    assert heard.messages == []


def test_suffixes_choose_among_the_files_of_a_folder(library: Path):
    assert read([library], suffixes=[".md"]) == ["first"]


def test_globs_cross_folders_and_a_file_counts_once(library: Path):
    assert read([library / "**" / "*.txt"]) == ["second", "third"]
    assert read([library / "inner" / "c.txt", library / "*" / "c.txt", library]) == [
        "third",
        "first",
        "second",
    ]


def test_line_ends_stay_as_they_are_and_a_byte_order_mark_is_no_text(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes(codecs.BOM_UTF8 + b"a\r\nb\rc\n")
    assert read([tmp_path / "a.txt"]) == ["a\r\nb\rc\n"]


def test_other_encodings(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes("Füße".encode("latin-1"))
    (tmp_path / "b.txt").write_bytes("Füße".encode("utf-16"))
    assert read([tmp_path / "a.txt"], encoding="latin-1") == ["Füße"]
    assert read([tmp_path / "b*"], encoding="utf-16") == ["Füße"]


def test_what_is_no_text_in_a_folder_is_left_out_and_told(library: Path):
    (library / "old.txt").write_bytes(b"caf\xe9")
    heard = Heard()
    assert read([library], heard) == ["first", "second", "third"]
    assert heard.messages == [f"left out 1 files that are not utf-8 text: {library / 'old.txt'}"]


@pytest.mark.parametrize("before", [0, 3, 256 * 1024 - 1, 300_000])
def test_an_undecodable_file_that_was_named_says_where(tmp_path: Path, before: int):
    path = tmp_path / "old.txt"
    # The offset is that of the wrong byte also where a character straddles two blocks.
    path.write_bytes(b"a" * before + b"\xc3\x28" + b"b" * 9)
    with pytest.raises(
        DataError, match=rf"old.txt is not utf-8 text: byte 0xc3 at offset {before} .*latin-1"
    ):
        read([path])


def test_missing_files_say_what_was_looked_for(tmp_path: Path, library: Path):
    with pytest.raises(DataError, match=r"no file matches the glob .*/\*\.rst"):
        read([tmp_path / "*.rst"])
    with pytest.raises(DataError, match=r"no file or folder .*nowhere\.txt"):
        read([tmp_path / "nowhere.txt"])
    with pytest.raises(DataError, match=r"no file that ends in \.rst"):
        read([library], suffixes=[".rst"])
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(DataError, match=r"none of the 1 files of .* is utf-8 text .*set `encoding`"):
        read([tmp_path / "bad"])


def test_max_bytes_takes_whole_documents_from_the_start(library: Path):
    def first(count: int) -> list[str]:
        corpus = {"kind": "text", "paths": [str(library)]}
        return list(open_corpus(DataConfig.model_validate({"corpus": corpus, "max_bytes": count}), Silent()))

    assert first(5) == ["first"]
    assert first(15) == ["first", "second"]
    assert first(16) == ["first", "second", "third"]
    with pytest.raises(DataError, match=r"max_bytes is 4, but the first document .* has 5 bytes"):
        first(4)


def test_a_large_file_is_cut_at_line_breaks(tmp_path: Path):
    path = tmp_path / "large.txt"
    text = "".join(f"{number} " + "x" * (number % 90) + "\n" for number in range(9000))
    path.write_text(text)
    pieces = list(read_documents(path, "utf-8"))
    assert "".join(pieces) == text
    assert all(piece.endswith("\n") for piece in pieces)
    assert all(16_000 < len(piece) <= 16_384 for piece in pieces[:-1])
    path.write_text(text[: 64 * 1024])
    assert list(read_documents(path, "utf-8")) == [text[: 64 * 1024]]


@pytest.mark.parametrize("word", ["word ", "x"])
def test_a_single_endless_line_is_cut_too(tmp_path: Path, word: str):
    path = tmp_path / "line.txt"
    path.write_text(word * 100_000)
    pieces = list(read_documents(path, "utf-8"))
    assert "".join(pieces) == word * 100_000
    assert max(map(len, pieces)) <= 16_384
    assert all(piece.endswith(word) for piece in pieces)


@settings(max_examples=30, deadline=None)
@given(
    lines=st.lists(st.integers(0, 3000), min_size=30, max_size=80),
    characters=st.sampled_from(["a", "é", "漢", "😀", "a "]),
    block=st.integers(1000, 5000),
)
def test_pieces_are_the_text_however_it_is_read(tmp_path_factory, lines, characters, block):
    path = tmp_path_factory.mktemp("pieces") / "text.txt"
    text = "\n".join(characters * length for length in lines)
    path.write_bytes(text.encode())
    pieces = list(read_documents(path, "utf-8"))
    assert "".join(pieces) == text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_module, "_BLOCK_BYTES", block)
        assert list(read_documents(path, "utf-8")) == pieces


def test_text_that_is_appended_leaves_earlier_pieces(tmp_path: Path):
    path = tmp_path / "log.txt"
    text = "".join(f"entry {number}\n" for number in range(20_000))
    path.write_text(text)
    before = list(read_documents(path, "utf-8"))
    path.write_text(text + "more\n" * 5000)
    after = list(read_documents(path, "utf-8"))
    assert after[: len(before) - 1] == before[:-1]


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path):
    path = tmp_path / "large.txt"
    with path.open("w") as file:
        for number in range(200):
            file.write(f"line {number} of some text that goes on and on\n" * 2000)
    tracemalloc.start()
    total = sum(len(piece) for piece in read_documents(path, "utf-8"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == path.stat().st_size > 16_000_000
    assert peak < 3_000_000


def test_the_standard_library_is_large_and_without_tests():
    corpus = open_corpus(DataConfig(), Silent())
    names = [path.as_posix() for path in corpus.paths]
    assert corpus.total_bytes > 5_000_000
    assert sum(len(document.encode()) for document in corpus) == corpus.total_bytes
    assert not [
        name for name in names if {"test", "tests", "idle_test", "site-packages"} & set(name.split("/"))
    ]
    assert any(name.endswith("/argparse.py") for name in names)
    assert names == [path.as_posix() for path in open_corpus(DataConfig(), Silent()).paths]


def test_an_interpreter_without_source_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(DataError, match="comes without its standard library's source"):
        open_corpus(DataConfig(), Silent())
