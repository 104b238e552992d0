"""Models of the Hugging Face hub on the command line: brought in, used, and written again."""

import json
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
