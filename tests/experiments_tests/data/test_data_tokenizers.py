import json
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tiktoken
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.data.config import BytesTokenizer, FileTokenizer, TiktokenTokenizer
from experiments.data.errors import DataError
from experiments.data.tokenizers import build_tokenizer, identify_tokenizer, load_tokenizer
from experiments.data.tokenizers.bytes import ByteLevelTokenizer
from experiments.data.tokenizers.subwords import SubwordTokenizer, load_subwords, train_bpe
from experiments.data.tokenizers.tiktoken import TiktokenEncoding

TEXTS = ["the cat sat on the mat\n", "das Wörterbuch, das 漢字, the 😀", "\x00\t\r\n  <|endoftext|> "] * 20


def nothing():
    return iter(())


def gpt2_like() -> tiktoken.Encoding:
    ranks = {bytes([byte]): byte for byte in range(256)} | {b"th": 256, b"the": 257}
    return tiktoken.Encoding(
        "tiny",
        pat_str=r"""\s?\S+|\s+""",
        mergeable_ranks=ranks,
        special_tokens={"<|endoftext|>": 258},
    )


@pytest.fixture(scope="module", params=["bytes", "bpe", "tiktoken"])
def tokenizer(request):
    if request.param == "bytes":
        return ByteLevelTokenizer()
    return train_bpe(iter(TEXTS), 300) if request.param == "bpe" else TiktokenEncoding(gpt2_like())


@settings(max_examples=100, deadline=None)
@given(text=st.text() | st.sampled_from(TEXTS))
def test_text_comes_back(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(0 <= token < tokenizer.vocab_size for token in ids)
    (batched,) = tokenizer.encode_batch([text])
    assert batched.tolist() == ids


def test_a_separator_spelt_out_in_a_text_is_text(tokenizer):
    ids = tokenizer.encode("a<|endoftext|>b")
    assert tokenizer.separator not in ids
    assert tokenizer.decode(ids) == "a<|endoftext|>b"


def test_saved_and_loaded_it_is_the_same(tokenizer, tmp_path: Path):
    tokenizer.save(tmp_path)
    again = load_tokenizer(tmp_path)
    assert (again.vocab_size, again.separator) == (tokenizer.vocab_size, tokenizer.separator)
    for text in TEXTS[:3]:
        assert again.encode(text) == tokenizer.encode(text)
    for path in tmp_path.iterdir():
        json.loads(path.read_text("utf-8"))


def test_bytes_are_utf8():
    tokenizer = build_tokenizer(BytesTokenizer(), nothing)
    assert tokenizer.encode("aé") == [97, 0xC3, 0xA9]
    assert (tokenizer.vocab_size, tokenizer.separator) == (256, 0)
    assert tokenizer.decode([0xC3]) == "\ufffd"


def test_bpe_learns_common_words_and_the_same_each_time():
    tokenizer = train_bpe(iter(TEXTS), 300)
    assert tokenizer.vocab_size == 300
    assert len(tokenizer.encode(" the")) == 1
    again = train_bpe(iter(TEXTS), 300)
    assert [again.encode(text) for text in TEXTS[:3]] == [tokenizer.encode(text) for text in TEXTS[:3]]


def test_bpe_of_a_tiny_text_has_fewer_tokens_than_wanted():
    tokenizer = train_bpe(iter(["ab"]), 5000)
    assert tokenizer.vocab_size == 258
    assert tokenizer.decode(tokenizer.encode("漢")) == "漢"


def foreign_tokenizer(tokens: list[str], special: list[str]) -> tokenizers.Tokenizer:
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token=tokens[0]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(special)
    return tokenizer


@pytest.mark.parametrize(
    ("special", "separator"), [(["<s>", "</s>"], 4), (["<eos>", "<|endoftext|>"], 4), ([], None)]
)
def test_a_foreign_file_tells_its_separator(tmp_path: Path, special, separator):
    tokenizer = foreign_tokenizer(["?", "hello", "world"], special)
    # What other programs left in the file must not cut or fill the text, nor add to it.
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9)
    if special:
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single=f"{special[0]} $A", special_tokens=[(special[0], 3)]
        )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = build_tokenizer(FileTokenizer(path=str(tmp_path / "tokenizer.json")), nothing)
    assert loaded.separator == separator
    assert loaded.encode("hello world hello") == [1, 2, 1]
    assert loaded.encode_batch(["hello world hello"])[0].tolist() == [1, 2, 1]
    assert loaded.vocab_size == 3 + len(special)
    assert load_tokenizer(tmp_path).encode("world") == [2]


def test_ids_with_gaps_fit_the_vocabulary():
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0, "hello": 7}, unk_token="?"))
    assert SubwordTokenizer(tokenizer).vocab_size == 8


def test_files_that_are_no_tokenizer_are_told(tmp_path: Path):
    with pytest.raises(DataError, match=r"no tokenizer file .*gone\.json"):
        load_subwords(tmp_path / "gone.json")
    with pytest.raises(DataError, match=r"no tokenizer file .*gone\.json.*check `path`"):
        identify_tokenizer(FileTokenizer(path=str(tmp_path / "gone.json")))
    (tmp_path / "bad.json").write_text('{"model": 1}')
    with pytest.raises(DataError, match=r"bad\.json is no tokenizer\.json that tokenizers \d"):
        load_subwords(tmp_path / "bad.json")
    with pytest.raises(DataError, match="no tokenizer in"):
        load_tokenizer(tmp_path)
    for content, message in [("{", "cannot read"), ("{}", "no `kind`"), ('{"kind": "new"}', "a kind `new`")]:
        (tmp_path / "gpt_zoo_tokenizer.json").write_text(content)
        with pytest.raises(DataError, match=message):
            load_tokenizer(tmp_path)
    (tmp_path / "gpt_zoo_tokenizer.json").write_text('{"kind": "tiktoken", "name": "x"}')
    with pytest.raises(DataError, match="saved tiktoken encoding is damaged"):
        load_tokenizer(tmp_path)


def test_a_file_is_known_by_its_content(tmp_path: Path):
    for name, content in [("a", "1"), ("b", "1"), ("c", "2")]:
        (tmp_path / name).write_text(content)
    a, b, c = (identify_tokenizer(FileTokenizer(path=str(tmp_path / name))) for name in "abc")
    assert a == b != c


def test_a_tiktoken_encoding_is_found_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: gpt2_like())
    tokenizer = build_tokenizer(TiktokenTokenizer(encoding="gpt2"), nothing)
    assert (tokenizer.vocab_size, tokenizer.separator) == (259, 258)
    assert tokenizer.encode("the") == [257]
    assert tokenizer.encode_batch(["the"])[0].dtype == np.uint32


def test_a_misspelt_encoding_gets_a_suggestion():
    with pytest.raises(DataError, match="no encoding `cl100k`; did you mean `cl100k_base`"):
        build_tokenizer(TiktokenTokenizer(encoding="cl100k"), nothing)


def test_offline_tiktoken_is_given_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    began = time.perf_counter()

    def refuse(name):
        raise ConnectionError("no route")

    monkeypatch.setattr(tiktoken, "get_encoding", refuse)
    with pytest.raises(DataError, match=r"`gpt2` is not on this machine .*kind: bytes.*TIKTOKEN_CACHE_DIR"):
        build_tokenizer(TiktokenTokenizer(encoding="gpt2"), nothing)
    assert time.perf_counter() - began < 5


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    released = threading.Event()
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: released.wait(30))
    monkeypatch.setattr("experiments.data.tokenizers.tiktoken.is_reachable", lambda url: False)
    began = time.perf_counter()
    with pytest.raises(DataError, match="does not answer"):
        build_tokenizer(TiktokenTokenizer(encoding="gpt2"), nothing)
    assert time.perf_counter() - began < 5
    released.set()


def test_without_tiktoken_the_fix_is_an_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(DataError, match=r"pip install gpt-zoo\[data\]"):
        build_tokenizer(TiktokenTokenizer(encoding="gpt2"), nothing)
