import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from experiments.data.config import DataConfig, TextCorpus


def test_everything_has_a_default_that_works_offline():
    config = DataConfig()
    assert config.corpus.kind == "stdlib"
    assert config.tokenizer.kind == "bytes"
    assert (config.validation_fraction, config.validation_bytes, config.max_bytes) == (0.1, 65_536, None)


def test_importing_the_config_loads_no_heavy_package():
    code = (
        "import sys, experiments.data.config\n"
        "print(sorted({'numpy', 'torch', 'tokenizers', 'datasets', 'tiktoken'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_path_needs_no_list():
    assert TextCorpus(paths="book.txt").paths == ("book.txt",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"validation_fraction": 0}, "greater than 0"),
        ({"validation_fraction": 1}, "less than 1"),
        ({"validation_bytes": 0}, "greater than 0"),
        ({"max_bytes": 0}, "greater than 0"),
        ({"tokenizer": {"kind": "bpe", "vocab_size": 256}}, "greater than or equal to 257"),
        ({"corpus": {"kind": "text", "paths": []}}, "at least 1 item"),
        ({"corpus": {"kind": "text", "paths": ["a"], "encoding": "utf-9"}}, "unknown text encoding `utf-9`"),
        ({"corpus": {"kind": "text", "paths": ["a"], "encoding": "hex"}}, "unknown text encoding `hex`"),
        ({"corpus": {"kind": "jsonl", "paths": ["a"], "colum": "b"}}, "did you mean `column`"),
        ({"corpus": {"kind": "huggingface", "name": "a/b", "trust_remote_code": True}}, "unknown key"),
        ({"corpus": {"kind": "novel"}}, "novel"),
    ],
)
def test_wrong_values_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        DataConfig.model_validate(values)


def test_relative_paths_are_those_of_the_folder(tmp_path: Path):
    config = DataConfig.model_validate(
        {
            "corpus": {"kind": "text", "paths": ["a.txt", "../b", "/c/d.txt", "e/**/*.md"]},
            "tokenizer": {"kind": "file", "path": "t/tokenizer.json"},
        }
    ).relative_to(tmp_path / "inner")
    assert config.corpus.paths == (
        f"{tmp_path}/inner/a.txt",
        f"{tmp_path}/b",
        "/c/d.txt",
        f"{tmp_path}/inner/e/**/*.md",
    )
    assert config.tokenizer.path == f"{tmp_path}/inner/t/tokenizer.json"


def test_a_hub_name_is_no_path_but_a_dotted_one_is(tmp_path: Path):
    def name(text: str) -> str:
        corpus = {"kind": "huggingface", "name": text}
        return DataConfig.model_validate({"corpus": corpus}).relative_to(tmp_path).corpus.name

    assert name("owner/dataset") == "owner/dataset"
    assert name("./folder") == f"{tmp_path}/folder"


def test_brackets_in_the_name_of_the_folder_are_no_glob(tmp_path: Path):
    folder = tmp_path / "[draft]"
    folder.mkdir()
    (folder / "a.txt").write_text("hello")
    config = DataConfig(corpus=TextCorpus(paths=["*.txt", "a.txt"])).relative_to(folder)
    from experiments.data.corpora.files import find_files

    assert [file.path for file in find_files(config.corpus.paths, None)] == [folder / "a.txt"]
