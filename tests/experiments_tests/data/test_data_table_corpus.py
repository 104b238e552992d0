import json
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from experiments.data.config import DataConfig
from experiments.data.corpora import open_corpus
from experiments.data.errors import DataError
from experiments.progress import Silent
from gpt_zoo.network import is_reachable


def read(kind: str, max_bytes=None, **options):
    config = {"corpus": {"kind": kind, **options}, "max_bytes": max_bytes}
    return list(open_corpus(DataConfig.model_validate(config), Silent()))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    texts = ["one", "", None, "zwei\n", "\ud800 half"]
    lines = [json.dumps({"text": text, "id": number}) for number, text in enumerate(texts)]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n\n")
    (folder / "b.ndjson").write_text('\ufeff{"text": "dre\u00ef", "id": 9}', "utf-8")
    (folder / "notes.txt").write_text("no JSON")
    return folder


def test_json_lines_are_documents(rows: Path):
    assert read("jsonl", paths=str(rows)) == ["one", "zwei\n", "\ufffd half", "dreï"]
    assert read("jsonl", paths=str(rows / "*.ndjson")) == ["dreï"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "a"', r"bad\.jsonl:2: not JSON: .*every line must be one JSON object"),
        (b'["a"]', r"bad\.jsonl:2: a list where every line must be one JSON object"),
        (b'{"text": "caf\xe9"}', r"bad\.jsonl:2: not UTF-8: byte 0xe9 at byte 13"),
        (
            b'{"texts": "a", "id": 1}',
            r"bad\.jsonl:2: no column `text`; columns are `texts`, `id`; did you mean `texts`",
        ),
        (
            b'{"body": "a"}',
            r"bad\.jsonl:2: no column `text`; columns are `body`; name one of them as `column`",
        ),
        (b'{"text": 3}', r"bad\.jsonl:2: column `text` holds int, not text: 3"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: bytes, message: str):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"text": "good"}\n' + line + b"\n")
    with pytest.raises(DataError, match=message):
        read("jsonl", paths=str(path))


def test_a_folder_without_json_lines_is_told(tmp_path: Path):
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(DataError, match=r"no file that ends in \.jsonl or \.ndjson"):
        read("jsonl", paths=str(tmp_path))


def test_a_local_folder_is_read_as_a_dataset(tmp_path: Path):
    folder = tmp_path / "set"
    folder.mkdir()
    lines = [json.dumps({"body": f"text {number}"}) for number in range(5)]
    (folder / "train.jsonl").write_text("\n".join(lines))
    expected = [f"text {number}" for number in range(5)]
    assert read("huggingface", name=str(folder), column="body") == expected
    assert read("huggingface", name=str(folder), column="body", max_bytes=13) == expected[:2]
    with pytest.raises(DataError, match=r"row 0: no column `bodi`; columns are `body`; did you mean `body`"):
        read("huggingface", name=str(folder), column="bodi")
    with pytest.raises(DataError, match=r"cannot open the dataset .*Bad split: dev"):
        read("huggingface", name=str(folder), split="dev")
    with pytest.raises(DataError, match=r"cannot open the dataset .*'en' not found"):
        read("huggingface", name=str(folder), config="en")


def test_parquet_is_read_and_broken_parquet_is_told(tmp_path: Path):
    import pandas as pd

    folder = tmp_path / "set"
    folder.mkdir()
    pd.DataFrame({"text": ["eins", None, "zwei"]}).to_parquet(folder / "train.parquet")
    assert read("huggingface", name=str(folder)) == ["eins", "zwei"]
    (folder / "train.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match="cannot"):
        read("huggingface", name=str(folder))


def test_a_missing_folder_is_no_hub_name():
    with pytest.raises(DataError, match=r"no folder \./nowhere"):
        read("huggingface", name="./nowhere")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("max_bytes", [None, 1000])
def test_offline_the_hub_is_given_up_at_once(no_network, max_bytes):
    import datasets

    began = time.perf_counter()
    with pytest.raises(
        DataError, match=r"owner/unheard_of is not on this machine .*kind: text or jsonl.*HF_HOME"
    ):
        read("huggingface", name="owner/unheard_of", max_bytes=max_bytes)
    assert time.perf_counter() - began < 5
    assert datasets.config.HF_HUB_OFFLINE is False


def test_offline_an_earlier_download_is_used(no_network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    source = tmp_path / "story_set"
    source.mkdir()
    (source / "train.jsonl").write_text('{"text": "once"}\n{"text": "twice"}\n')
    prepared = datasets.load_dataset(str(source), cache_dir=str(tmp_path / "hub"))
    # As `datasets` keeps a download of owner/story_set.
    (tmp_path / "hub" / "story_set").rename(tmp_path / "hub" / "owner___story_set")
    assert prepared["train"].num_rows == 2
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    assert read("huggingface", name="owner/story_set", max_bytes=4) == ["once"]


def test_without_the_package_the_fix_is_an_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install gpt-zoo\[data\]"):
        read("huggingface", name="owner/name")


def test_reachable_asks_the_proxy_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_reachable(f"http://127.0.0.1:{port}/path")
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert is_reachable("https://nowhere.invalid")
    monkeypatch.delenv("https_proxy")
    assert not is_reachable(f"http://127.0.0.1:{port}")


def test_a_slow_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    released = threading.Event()

    def hang(*arguments, **options):
        released.wait(30)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", hang)
    began = time.perf_counter()
    assert not is_reachable("https://nowhere.invalid", timeout_seconds=0.1)
    assert time.perf_counter() - began < 1
    released.set()
