import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import given, settings
from model_probes import random_ids
from safetensors import safe_open

import registry
from gpt_zoo import GPTConfig, GPTModel, load_checkpoint, save_checkpoint

ROOT = Path(__file__).parents[2]
FILES = {"variant.yaml", "model.safetensors", "SHA256SUMS"}


def model_of(**fields) -> GPTModel:
    return GPTModel(config_with("attention", "grouped_query", **fields))


def same_weights(a: GPTModel, b: GPTModel) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def sum_anew(folder: Path) -> None:
    """Have the checksums say that the files are as they should be."""
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("model.safetensors", "variant.yaml")
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_comes_back_as_it_was(tmp_path: Path, slot: str, kind: str, tied: bool) -> None:
    model = GPTModel(config_with(slot, kind, tie_embeddings=tied, drop_rate=0.5, qkv_bias=True))
    save_checkpoint(tmp_path / "not" / "there" / "yet", model)
    loaded = load_checkpoint(tmp_path / "not" / "there" / "yet")
    assert loaded.config == model.config
    assert same_weights(loaded, model)
    assert (loaded.head.weight is loaded.token_table.weight) == tied
    assert not loaded.training
    ids = random_ids(model.config)
    assert torch.equal(loaded(ids), model.eval()(ids))


@given(config=gpt_configs())
@settings(max_examples=40)
def test_every_model_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, config: GPTConfig
) -> None:
    folder, model = tmp_path_factory.mktemp("checkpoint"), GPTModel(config)
    save_checkpoint(folder, model)
    loaded = load_checkpoint(str(folder))
    assert loaded.config == config
    assert same_weights(loaded, model)


def test_a_loaded_model_can_be_trained(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, model_of(tie_embeddings=True))
    loaded = load_checkpoint(tmp_path)
    loaded(random_ids(loaded.config)).sum().backward()
    assert all(parameter.grad is not None for parameter in loaded.parameters())


def test_a_tied_tensor_is_stored_once_and_nothing_is_pickled(tmp_path: Path) -> None:
    model = model_of(tie_embeddings=True)
    save_checkpoint(tmp_path, model)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    with safe_open(tmp_path / "model.safetensors", "pt") as weights:
        stored = sum(weights.get_tensor(name).numel() for name in weights.keys())  # noqa: SIM118 - no mapping
    assert stored == sum(p.numel() for p in model.parameters())
    # Plain JSON behind a length of 8 bytes: nothing is executed when it is read.
    raw = (tmp_path / "model.safetensors").read_bytes()
    assert "final_norm.scale" in json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])


def test_the_variant_is_one_that_the_registry_reads(tmp_path: Path) -> None:
    model = model_of(layers=[{"attention": {"window": 2}}, {}])
    save_checkpoint(tmp_path, model, {"name": "tiny", "description": "yes: no", "source": "a # b"})
    variant = registry.load_variant(tmp_path / "variant.yaml")
    assert variant.config == model.config
    assert (variant.name, variant.description, variant.source) == ("tiny", "yes: no", "a # b")
    assert load_checkpoint(tmp_path).config == model.config


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_sha256sum_checks_the_folder(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, model_of())
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "variant.yaml").write_text("emb_dim: 8\n")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_a_second_save_replaces_the_first(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, model_of())
    second = model_of(n_layers=3)
    save_checkpoint(tmp_path, second)
    assert same_weights(load_checkpoint(tmp_path), second)


@pytest.mark.parametrize("missing", sorted(FILES))
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    save_checkpoint(tmp_path, model_of())
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} is no checkpoint: it holds no {missing}"):
        load_checkpoint(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is no checkpoint"):
        load_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["model.safetensors", "variant.yaml"])
def test_a_changed_bit_is_noticed(tmp_path: Path, name: str) -> None:
    save_checkpoint(tmp_path, model_of())
    raw = bytearray((tmp_path / name).read_bytes())
    raw[-2] ^= 1
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(ValueError, match=rf"{name} is not the file that was saved: its SHA-256 is"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("text", ["", "\0\xff", "0000  other.bin\n", "no checksums here"])
def test_damaged_checksums(tmp_path: Path, text: str) -> None:
    save_checkpoint(tmp_path, model_of())
    (tmp_path / "SHA256SUMS").write_text(text, "latin-1")
    with pytest.raises(ValueError, match=r"SHA256SUMS has no line for variant\.yaml"):
        load_checkpoint(tmp_path)


DAMAGE = {
    "empty": lambda raw: b"",
    "cut within the length": lambda raw: raw[:5],
    "cut within the header": lambda raw: raw[:99],
    "cut within the numbers": lambda raw: raw[:-1],
    "longer": lambda raw: raw + b"\0",
    "garbled header": lambda raw: raw[:8] + b"\xff" * 64 + raw[72:],
    "a huge length": lambda raw: b"\xff" * 8 + raw[8:],
    "a pickle": lambda raw: b"\x80\x04N.",
}


@pytest.mark.parametrize("how", DAMAGE)
def test_weights_that_are_none(tmp_path: Path, how: str) -> None:
    save_checkpoint(tmp_path, model_of())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(DAMAGE[how](weights.read_bytes()))
    sum_anew(tmp_path)
    with pytest.raises(ValueError, match=r"model\.safetensors does not hold the weights"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "declares no model: it must hold keys"),
        ("{", "is no YAML"),
        ("[]", "declares no model: it must hold keys"),
        ("emb_dim: 8", "declares no model: 4 validation errors"),
        ("n_heads: !!python/object/apply:os.getcwd []", "is no YAML"),
        ("layers: [&a {n_heads: 1}, *a]", "aliases"),
    ],
)
def test_a_variant_that_is_none(tmp_path: Path, text: str, told: str) -> None:
    save_checkpoint(tmp_path, model_of())
    (tmp_path / "variant.yaml").write_text(text)
    sum_anew(tmp_path)
    with pytest.raises(ValueError, match=rf"variant\.yaml .*{told}|{told}"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [{"emb_dim": 32}, {"n_layers": 3}, {"n_layers": 1}, {"qkv_bias": True}, {"tie_embeddings": True}],
)
def test_weights_of_another_model(tmp_path: Path, fields: dict) -> None:
    save_checkpoint(tmp_path / "one", model_of())
    save_checkpoint(tmp_path / "other", model_of(**fields))
    os.replace(tmp_path / "one" / "model.safetensors", tmp_path / "other" / "model.safetensors")
    sum_anew(tmp_path / "other")
    with pytest.raises(ValueError, match=r"weights of the model in variant\.yaml"):
        load_checkpoint(tmp_path / "other")


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OSError, match="file"):
        save_checkpoint(tmp_path / "file", model_of())
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(OSError, match="safetensors"):
        save_checkpoint(tmp_path, model_of())
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "no leftovers"
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        load_checkpoint(tmp_path)


SAVE_WITH_NO_ROOM = """
import resource, sys
from gpt_zoo import load_checkpoint, save_checkpoint
model = load_checkpoint(sys.argv[1])
for parameter in model.parameters():
    parameter.data.zero_()
for room in (0, 10, 5000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        save_checkpoint(sys.argv[1], model)
    except OSError as error:
        print("refused", room)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the size of files cannot be limited")
def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path: Path) -> None:
    model = model_of()
    save_checkpoint(tmp_path, model)
    run = subprocess.run(
        [sys.executable, "-c", SAVE_WITH_NO_ROOM, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.stderr == ""
    # No room for the variant, for all of the variant, for the weights.
    assert run.stdout.split("\n")[:3] == ["refused 0", "refused 10", "refused 5000"]
    assert same_weights(load_checkpoint(tmp_path), model)
    assert {path.name for path in tmp_path.iterdir()} == FILES, "no leftovers"


def test_a_compiled_model_is_saved_as_what_it_compiles(tmp_path: Path) -> None:
    model = GPTModel({"vocab_size": 7, "context_length": 5, "emb_dim": 6, "n_heads": 2, "n_layers": 1}).eval()
    save_checkpoint(tmp_path, torch.compile(model))
    ids = torch.zeros(1, 5, dtype=torch.long)
    assert torch.equal(load_checkpoint(tmp_path)(ids), model(ids))
