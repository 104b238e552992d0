"""Models of the Hugging Face hub on the command line: brought in, used, and written again."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config

from experiments.data.tokenizers.subwords import train_bpe

TEXT = "the cat sat on the mat and the dog sat on the cat. "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with a tokenizer, as `save_pretrained` leaves them."""
    tokenizer = train_bpe(iter([TEXT * 20]), 270)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=tokenizer.vocab_size, n_positions=64, n_embd=24, n_layer=2, n_head=3,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    model.save_pretrained(tmp_path / "Tiny GPT2")
    (tmp_path / "Tiny GPT2" / "tokenizer.json").write_text(tokenizer._tokenizer.to_str())
    (tmp_path / "Tiny GPT2" / "tokenizer_config.json").write_text('{"model_max_length": 64}')
    return tmp_path / "Tiny GPT2"


def test_a_model_goes_in_and_out(tmp_path: Path, gpt_zoo, folder: Path) -> None:
    imported = gpt_zoo("import", str(folder))
    assert imported.returncode == 0, imported.stderr
    assert "wrote variant and weights to imported/tiny-gpt2" in imported.stdout
    assert "kept tokenizer.json, tokenizer_config.json" in imported.stdout
    assert "bos_token_id" in imported.stdout, "what is left out is told"
    ours = tmp_path / "imported" / "tiny-gpt2"
    shown = gpt_zoo("show", str(ours / "variant.yaml"))
    assert "name: tiny-gpt2" in shown.stdout
    assert "tie_embeddings: true" in shown.stdout

    written = gpt_zoo(
        "generate", str(ours), "--prompt", "the cat", "--temperature", "0", "--max-new-tokens", "8"
    )
    assert written.stdout.startswith("the cat"), written.stderr

    exported = gpt_zoo("export", str(ours), "--out", "again")
    assert exported.stdout == "wrote a gpt2 model to again\n", exported.stderr
    before, after = (AutoModelForCausalLM.from_pretrained(path) for path in (folder, tmp_path / "again"))
    ids = torch.arange(20)[None]
    torch.testing.assert_close(after(ids).logits, before(ids).logits)
    assert (tmp_path / "again" / "tokenizer.json").read_text() == (folder / "tokenizer.json").read_text()
    assert (tmp_path / "again" / "tokenizer_config.json").is_file()


def test_a_folder_with_a_config_only_gives_the_variant(tmp_path: Path, gpt_zoo, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    imported = gpt_zoo("import", str(folder), "--out", "variants", "--name", "mine")
    assert "holds no weights: wrote the variant alone, to variants/variant.yaml" in imported.stdout
    assert "name: mine" in (tmp_path / "variants" / "variant.yaml").read_text()
    assert gpt_zoo("cost", "variants/variant.yaml").returncode == 0


def test_a_name_is_held_to_the_rule_of_names(tmp_path: Path, gpt_zoo, folder: Path) -> None:
    refused = gpt_zoo("import", str(folder), "--name", "../A B")
    assert refused.returncode == 1
    assert refused.stderr.endswith("got '../A B', try a-b\n")
    assert "Traceback" not in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_config_only_does_not_write_over_the_variant_of_weights(
    tmp_path: Path, gpt_zoo, folder: Path
) -> None:
    assert gpt_zoo("import", str(folder), "--out", "ours").returncode == 0
    (folder / "model.safetensors").unlink()
    before = (tmp_path / "ours" / "variant.yaml").read_bytes()
    for removed in (None, "SHA256SUMS"):
        if removed:
            (tmp_path / "ours" / removed).unlink()
        refused = gpt_zoo("import", str(folder), "--out", "ours", "--name", "other", "--force")
        assert refused.returncode == 1
        assert "holds no weights, and ours those of another model; give another --out" in refused.stderr
    assert (tmp_path / "ours" / "variant.yaml").read_bytes() == before


def test_no_name_in_a_folder_steers_the_terminal(tmp_path: Path, gpt_zoo, folder: Path) -> None:
    fields = json.loads((folder / "config.json").read_text())
    clear = "\x1b[2J"
    told = gpt_zoo("import", str(folder), "--out", f"o{clear}")
    assert "to o\ufffd[2J" in told.stdout
    assert "\x1b" not in told.stdout
    for changed in ({"model_type": clear}, {f"n_{clear}": 1}):
        (folder / "config.json").write_text(json.dumps(fields | changed))
        refused = gpt_zoo("import", str(folder))
        assert refused.returncode == 1
        assert "\x1b" not in refused.stderr
    (tmp_path / "wrong.yaml").write_text('extends: gpt-nano\n"a\\eb": 1\n')
    wrong = gpt_zoo("validate", "wrong.yaml")
    assert wrong.returncode == 1
    assert "a\ufffdb" in wrong.stderr


@pytest.mark.parametrize(
    "absurd",
    [
        {"vocab_size": 2**62},
        {"vocab_size": 10**30},
        {"n_positions": 10**12},
        {"n_positions": 10**30},
        {"n_inner": 2**61},
        {"n_layer": 10**5},
    ],
)
def test_absurd_sizes_are_told_in_a_line(gpt_zoo, folder: Path, absurd: dict[str, int]) -> None:
    fields = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(fields | absurd))
    refused = gpt_zoo("import", str(folder))
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")
    assert len(refused.stderr.splitlines()) == 1, refused.stderr


def test_what_cannot_be_is_told_in_a_line(tmp_path: Path, gpt_zoo, folder: Path) -> None:
    assert gpt_zoo("import", str(folder), "--out", "ours").returncode == 0
    refused = gpt_zoo("export", "ours", "--out", "again", "--family", "llama")
    assert refused.returncode == 1
    assert "error: llama cannot express `position.kind`: got 'learned'" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "again").exists()
    over_itself = gpt_zoo("export", "ours", "--out", "ours")
    assert "holds a variant.yaml" in over_itself.stderr
    over_hub = gpt_zoo("import", str(folder), "--out", str(folder))
    assert "holds a config.json" in over_hub.stderr
    fields = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**fields, "n_soup": 3}))
    unknown = gpt_zoo("import", str(folder))
    assert "`n_soup` is 3, and not known here" in unknown.stderr
    hub = gpt_zoo("generate", str(folder))
    assert "holds no variant.yaml; `gpt-zoo import` reads it" in hub.stderr


def test_a_folder_that_holds_something_is_left_alone_unless_asked(
    tmp_path: Path, gpt_zoo, folder: Path
) -> None:
    out = tmp_path / "taken"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    for command in ("import", "export"):
        refused = gpt_zoo(command, str(folder), "--out", "taken")
        assert refused.returncode == 1
        assert [path.name for path in out.iterdir()] == ["notes.txt"]
    assert (
        "taken is not empty, it holds notes.txt; give another --out, or --force"
        in gpt_zoo("import", str(folder), "--out", "taken").stderr
    )
    assert gpt_zoo("import", str(folder), "--out", "taken", "--force").returncode == 0
    assert (out / "notes.txt").read_text() == "mine"
    # What replaces a model has no tokenizer: it must not be read with that of the model before.
    for path in folder.glob("tokenizer*"):
        path.unlink()
    assert gpt_zoo("import", str(folder), "--out", "taken", "--force").returncode == 0
    assert not list(out.glob("tokenizer*"))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, gpt_zoo, folder: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (folder / "tokenizer_config.json").unlink()
    (folder / "tokenizer_config.json").symlink_to(secret)
    refused = gpt_zoo("import", str(folder))
    assert "tokenizer_config.json leads out of its folder" in refused.stderr
    assert not (tmp_path / "imported").exists()


def test_what_a_killed_import_left_is_cleared_away(tmp_path: Path, gpt_zoo, folder: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    left, other = (
        out / f".partial-{socket.gethostname()}-{pid}-x" for pid in (done.stdout.strip(), os.getpid())
    )
    left.mkdir(parents=True)
    other.mkdir()
    assert gpt_zoo("import", str(folder), "--out", "out").returncode == 0
    assert not left.exists()
    assert other.exists(), "a process that runs may be writing there"
