import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from experiments.data.config import DataConfig
from experiments.data.errors import DataError
from experiments.data.tokens import load_tokens


def config_of(folder: Path, **values) -> DataConfig:
    values = {"tokenizer": {"kind": "bytes"}, "validation_fraction": 0.3, "validation_bytes": 3000} | values
    return DataConfig.model_validate({"corpus": {"kind": "text", "paths": [str(folder)]}, **values})


BPE = {"kind": "bpe", "vocab_size": 400}


def truncate(folder: Path) -> None:
    os.truncate(folder / "train.bin", (folder / "train.bin").stat().st_size - 2)


def empty_out(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def replace_by_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


DAMAGES = {
    "truncated": truncate,
    "no meta": lambda folder: (folder / "meta.json").unlink(),
    "torn meta": lambda folder: (folder / "meta.json").write_text('{"key": "'),
    "no tokenizer": lambda folder: (folder / "gpt_zoo_tokenizer.json").unlink(),
    "no tokens": lambda folder: (folder / "validation.bin").unlink(),
    "empty": empty_out,
    "a file": replace_by_file,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_cache_is_built_again(poems, damage):
    config = config_of(poems(20))
    before = load_tokens(config)
    train, folder = before.train.copy(), before.folder
    damage(folder)
    after = load_tokens(config)
    assert after.folder == folder
    np.testing.assert_array_equal(after.train, train)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_of_other_tokens_is_not_trusted(poems):
    config, other = config_of(poems(20)), config_of(poems(25, "others"))
    tokens, wrong = load_tokens(config), load_tokens(other)
    train = tokens.train.copy()
    shutil.rmtree(tokens.folder)
    shutil.copytree(wrong.folder, tokens.folder)
    np.testing.assert_array_equal(load_tokens(config).train, train)


BUILDER = """
import sys
from experiments.data.config import DataConfig
from experiments.data.tokens import load_tokens

print("ready", flush=True)
sys.stdin.readline()
tokens = load_tokens(DataConfig.model_validate_json(sys.argv[1]))
print(tokens.folder, tokens.train.astype("int64").sum(), len(tokens.validation))
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_processes_that_build_at_once_share_one_result(poems, cache: Path, damaged: bool):
    config = config_of(poems(60), tokenizer=BPE)
    if damaged:
        truncate(load_tokens(config).folder)
    arguments = [sys.executable, "-c", BUILDER, config.model_dump_json()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(arguments, **pipes) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    found = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    tokens = load_tokens(config)
    assert found == {f"{tokens.folder} {tokens.train.astype('int64').sum()} {len(tokens.validation)}\n"}
    assert len(list((cache / "tokens").iterdir())) == 1
    assert len(list((cache / "tokenizers").iterdir())) == 1


def test_of_two_builders_the_second_takes_what_the_first_made(poems, monkeypatch: pytest.MonkeyPatch):
    from experiments.data import tokens as module

    config = config_of(poems(20))
    built = []

    def overtaken(*arguments) -> None:
        if not built:
            built.append("slow")
            built.append(load_tokens(config).folder.stat().st_ino)  # another process, faster than this one
        original(*arguments)

    original = module.write_tokens
    monkeypatch.setattr(module, "write_tokens", overtaken)
    tokens = load_tokens(config)
    assert tokens.folder.stat().st_ino == built[1]
    assert len(list(tokens.folder.parent.iterdir())) == 1


KILLED = """
import os, sys
from pathlib import Path
from experiments.data import tokenize
from experiments.data.config import DataConfig
from experiments.data.tokens import load_tokens

def stall(folder, meta):
    print("stalled", flush=True)
    sys.stdin.read()

tokenize.save_meta = stall
load_tokens(DataConfig.model_validate_json(sys.argv[1]))
"""


def test_a_killed_build_disturbs_no_one_and_is_cleaned_up_later(poems, cache: Path):
    config = config_of(poems(20))
    arguments = [sys.executable, "-c", KILLED, config.model_dump_json()]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "stalled\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    (leftover,) = (cache / "tokens").iterdir()
    assert (leftover / "train.bin").stat().st_size > 0

    tokens = load_tokens(config)
    assert len(tokens.train) == tokens.train_bytes + tokens.train_documents
    assert leftover.exists()  # young: it might be at work

    long_ago = time.time() - 2 * 24 * 3600
    for path in (*leftover.iterdir(), leftover):
        os.utime(path, (long_ago, long_ago))
    load_tokens(config_of(poems(20), validation_bytes=1))
    assert not leftover.exists()
    assert tokens.folder.exists()


def test_a_full_disk_is_told_and_leaves_nothing(poems, cache: Path, monkeypatch: pytest.MonkeyPatch):
    from experiments.data import token_files

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(token_files.os, "fsync", full)
    with pytest.raises(DataError, match=r"the disk of .*tokens is full; make room, or set GPT_ZOO_CACHE"):
        load_tokens(config_of(poems(20)))
    assert list((cache / "tokens").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_while_tokens_are_written_is_noticed(tmp_path: Path):
    from experiments.data.token_files import TokenWriter

    def write() -> None:
        with TokenWriter(Path("/dev/full"), 256) as writer:
            writer.append(np.zeros(1000, dtype=np.uint8))

    with pytest.raises(OSError, match="space") as caught:
        write()
    assert caught.value.errno == errno.ENOSPC


def test_a_cache_that_cannot_be_written_is_told(poems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GPT_ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot write the cache .*set GPT_ZOO_CACHE"):
        load_tokens(config_of(poems(20)))


def test_an_interrupted_build_leaves_nothing(poems, cache: Path, monkeypatch: pytest.MonkeyPatch):
    from experiments.data import tokenize

    def interrupt(folder, meta):
        raise KeyboardInterrupt

    monkeypatch.setattr(tokenize, "save_meta", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_tokens(config_of(poems(20)))
    assert list((cache / "tokens").iterdir()) == []


def test_the_cache_lies_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch):
    from platformdirs import user_cache_path

    from experiments.data.cache import cache_root

    monkeypatch.delenv("GPT_ZOO_CACHE")
    assert cache_root() == user_cache_path("gpt-zoo")
    monkeypatch.setenv("GPT_ZOO_CACHE", "~/elsewhere")
    assert cache_root() == Path.home() / "elsewhere"
