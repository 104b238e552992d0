"""Folders as they are found: sharded, old, bare, broken, hostile."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from cases_gpt2 import GPT2
from hub_models import SIZES, HubCase, build_hub_model, loaded, saved, some_ids
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.families import load_hub_model, read_hub_config, save_hub_model
from gpt_zoo.families.engine.hub_folder import copy_tokenizer

ROOT = Path(__file__).parents[3]
LLAMA = HubCase("llama", "LlamaConfig", {**SIZES, "num_key_value_heads": 2})
GPT2_CASE = HubCase("gpt2", "GPT2Config", GPT2)


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    return saved(build_hub_model(LLAMA, torch.float32), tmp_path / "llama")


@pytest.fixture
def gpt2(tmp_path: Path) -> Path:
    return saved(build_hub_model(GPT2_CASE, torch.float32), tmp_path / "gpt2")


def change(folder: Path, **fields) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def change_tensors(folder: Path, changed: dict | None = None, without: tuple[str, ...] = ()) -> None:
    tensors = {**load_file(folder / "model.safetensors"), **(changed or {})}
    kept = {name: tensor for name, tensor in tensors.items() if name not in without}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def logits(folder: Path) -> torch.Tensor:
    return load_hub_model(folder)(some_ids())


def test_shards_are_read_and_written(tmp_path: Path, llama: Path) -> None:
    sharded = saved(build_hub_model(LLAMA, torch.float32), tmp_path / "sharded", max_shard_size="10KB")
    assert len(list(sharded.glob("*.safetensors"))) > 3
    assert torch.equal(logits(sharded), logits(llama))
    save_hub_model(load_hub_model(sharded), tmp_path / "ours", shard_bytes=10_000)
    files = list((tmp_path / "ours").glob("*.safetensors"))
    assert len(files) > 3
    assert max(file.stat().st_size for file in files) < 12_000
    index = json.loads((tmp_path / "ours" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 4 * build_hub_model(LLAMA).num_parameters()
    torch.testing.assert_close(loaded(tmp_path / "ours", torch.float32)(some_ids()).logits, logits(llama))


def test_a_second_export_replaces_the_first(tmp_path: Path, llama: Path) -> None:
    model = load_hub_model(llama)
    save_hub_model(model, tmp_path / "ours", shard_bytes=10_000)
    save_hub_model(model, tmp_path / "ours")
    assert {path.name for path in (tmp_path / "ours").iterdir()} == {"config.json", "model.safetensors"}
    save_hub_model(model, tmp_path / "ours", shard_bytes=10_000)
    assert not (tmp_path / "ours" / "model.safetensors").exists()
    assert torch.equal(logits(tmp_path / "ours"), logits(llama))


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/x.safetensors", "a/b.safetensors", "x.bin", 3]
)
def test_an_index_cannot_lead_out_of_its_folder(llama: Path, name: object) -> None:
    weights = llama / "model.safetensors"
    names = load_file(weights)
    weights.rename(llama.parent / "secret.safetensors")
    index = {"weight_map": dict.fromkeys(names, name)}
    (llama / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=r"must name \.safetensors files of its folder"):
        load_hub_model(llama)


def test_a_missing_shard_is_named(llama: Path) -> None:
    (llama / "model.safetensors").unlink()
    index = {"weight_map": {"lm_head.weight": "model-00001-of-00001.safetensors"}}
    (llama / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=r"lacks model-00001-of-00001\.safetensors"):
        load_hub_model(llama)


class Bomb:
    def __reduce__(self) -> tuple:
        return os.mkdir, ("exploded",)


def test_pickles_are_not_opened(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (llama / "model.safetensors").unlink()
    torch.save(Bomb(), llama / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin.*never unpickled.*safe_serialization=True"):
        load_hub_model(llama)
    assert not (tmp_path / "exploded").exists()


def test_a_pickle_under_another_name_is_not_opened(
    tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(Bomb(), llama / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors cannot be read"):
        load_hub_model(llama)
    assert not (tmp_path / "exploded").exists()


def test_a_folder_without_weights(llama: Path) -> None:
    (llama / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="holds no weights, only a config"):
        load_hub_model(llama)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"model_type": "lama"}', "{}"])
def test_a_broken_config(llama: Path, text: str) -> None:
    (llama / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        load_hub_model(llama)


def test_an_unknown_family_gets_a_suggestion(llama: Path) -> None:
    change(llama, model_type="lama")
    with pytest.raises(ValueError, match=r"no family is called `lama`.*did you mean `llama`"):
        load_hub_model(llama)


def test_missing_and_unexpected_tensors_are_listed(llama: Path) -> None:
    change_tensors(llama, {"model.extra.weight": torch.zeros(2)}, without=("model.norm.weight",))
    with pytest.raises(ValueError, match=r"lacks model\.norm\.weight and it has model\.extra\.weight"):
        load_hub_model(llama)


def test_a_bias_that_the_config_does_not_mention_is_not_dropped(llama: Path) -> None:
    change_tensors(llama, {"model.layers.0.self_attn.q_proj.bias": torch.ones(24)})
    with pytest.raises(ValueError, match=r"it has model\.layers\.0\.self_attn\.q_proj\.bias"):
        load_hub_model(llama)


@pytest.mark.parametrize("name", ["model.norm.weight", "model.layers.1.self_attn.k_proj.weight"])
def test_a_tensor_of_another_shape_is_named(llama: Path, name: str) -> None:
    change_tensors(llama, {name: torch.zeros(5, 7)})
    with pytest.raises(ValueError, match=rf"{name} \[5, 7\] does not give what config\.json says"):
        load_hub_model(llama)


def test_a_fused_tensor_of_another_shape_is_named(gpt2: Path) -> None:
    change_tensors(gpt2, {"transformer.h.2.attn.c_attn.weight": torch.zeros(24, 71)})
    with pytest.raises(ValueError, match=r"c_attn\.weight \[24, 71\] does not give"):
        load_hub_model(gpt2)


def test_layers_beyond_number_end_at_once(llama: Path) -> None:
    change(llama, num_hidden_layers=10_000)
    with pytest.raises(ValueError, match="10000 layers, but the folder only"):
        load_hub_model(llama)
    change(llama, num_hidden_layers=10**6)
    with pytest.raises(ValueError, match="must be a whole number above 0 and up to 10000"):
        load_hub_model(llama)


def test_a_folder_of_the_bare_model_with_the_buffers_of_old(gpt2: Path) -> None:
    """As openai-community/gpt2 was published: no prefix, and masks among the weights."""
    expected = logits(gpt2)
    tensors = load_file(gpt2 / "model.safetensors")
    bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    bare |= {f"h.{i}.attn.bias": torch.ones(1, 1, 48, 48) for i in range(3)}
    bare |= {"h.0.attn.masked_bias": torch.tensor(-1e4)}
    save_file(bare, gpt2 / "model.safetensors")
    assert torch.equal(logits(gpt2), expected)


def test_a_copy_of_the_tied_table_is_a_copy(gpt2: Path) -> None:
    expected = logits(gpt2)
    table = load_file(gpt2 / "model.safetensors")["transformer.wte.weight"]
    change_tensors(gpt2, {"lm_head.weight": table.clone()})
    assert torch.equal(logits(gpt2), expected)
    change_tensors(gpt2, {"lm_head.weight": table + 1})
    with pytest.raises(ValueError, match=r"lm_head\.weight differs from transformer\.wte\.weight"):
        load_hub_model(gpt2)


def test_the_spelling_of_older_configs(tmp_path: Path) -> None:
    """The published config.json of Llama 3.1 8B, whose fields are those of transformers 4."""
    published = {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096,
        "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131072,
        "mlp_bias": False, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
        "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {
            "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192, "rope_type": "llama3",
        },
        "rope_theta": 500000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        "transformers_version": "4.43.0.dev0", "use_cache": True, "vocab_size": 128256,
    }  # fmt: skip
    config = read_hub_config(published)
    assert config.position.base == 500000.0
    assert config.position.scaling.model_dump() == {
        "kind": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_context": 8192,
    }  # fmt: skip
    assert config.attention.n_kv_heads == 8
    from gpt_zoo import model_cost

    assert model_cost(config).params == 8_030_261_248


def test_spellings_that_contradict_each_other(llama: Path) -> None:
    change(llama, rope_theta=500.0)
    with pytest.raises(ValueError, match=r"`rope_theta` is 500\.0 by `rope_theta`, but 10000\.0"):
        load_hub_model(llama)


def test_types_of_weights(tmp_path: Path, llama: Path) -> None:
    half = saved(build_hub_model(LLAMA, torch.bfloat16), tmp_path / "half")
    assert {p.dtype for p in load_hub_model(half).parameters()} == {torch.float32}
    kept = load_hub_model(half, dtype="stored")
    assert {p.dtype for p in kept.parameters()} == {torch.bfloat16}
    save_hub_model(kept, tmp_path / "ours")
    with safe_open(tmp_path / "ours" / "model.safetensors", "pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"BF16"}  # noqa: SIM118
    assert json.loads((tmp_path / "ours" / "config.json").read_text())["torch_dtype"] == "bfloat16"


def test_an_imported_model_can_be_trained(gpt2: Path) -> None:
    model = load_hub_model(gpt2)
    model.train()(some_ids()).logsumexp(-1).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.head.weight is model.token_table.weight


def test_rows_that_nothing_reads_are_not_exported(tmp_path: Path) -> None:
    config = GPTConfig(
        vocab_size=61, context_length=48, emb_dim=24, n_heads=3, n_layers=2, qkv_bias=True,
        embedding={"kind": "token", "pad_to": 64},
    )  # fmt: skip
    model = GPTModel(config).eval()
    save_hub_model(model, tmp_path)
    torch.testing.assert_close(loaded(tmp_path, torch.float32)(some_ids()).logits, model(some_ids()))


def test_families_that_can_are_named(tmp_path: Path) -> None:
    config = GPTConfig(vocab_size=61, context_length=48, emb_dim=24, n_heads=3, n_layers=2, qkv_bias=True)
    with pytest.raises(ValueError, match=r"llama cannot express `position\.kind`.*families that can: .*gpt2"):
        save_hub_model(GPTModel(config), tmp_path, "llama")
    with pytest.raises(ValueError, match="can express this variant"):
        save_hub_model(GPTModel({**config.model_dump(), "norm": {"kind": "none"}}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tokenizer_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    for name in ("tokenizer.json", "merges.txt", "generation_config.json", "evil.py", "model.safetensors"):
        (tmp_path / "from" / name).write_text("{}" if name.endswith(".json") else name)
    assert copy_tokenizer(tmp_path / "from", tmp_path / "to") == [
        "tokenizer.json", "merges.txt", "generation_config.json",
    ]  # fmt: skip
    assert (tmp_path / "to" / "merges.txt").read_text() == "merges.txt"
    assert not (tmp_path / "to" / "evil.py").exists()
    (tmp_path / "from" / "tokenizer.json").write_text("{half")
    with pytest.raises(ValueError, match=r"tokenizer.json cannot be read"):
        copy_tokenizer(tmp_path / "from", tmp_path / "to")


def test_the_cache_of_the_hub_keeps_its_files_beside_the_folder(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "models--o--n" / "blobs", tmp_path / "models--o--n" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (blobs / "0123").write_text("{}")
    (snapshot / "tokenizer.json").symlink_to("../../blobs/0123")
    assert copy_tokenizer(snapshot, tmp_path / "to") == ["tokenizer.json"]
    (snapshot / "merges.txt").symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match=r"merges.txt leads out of its folder, to /etc/hostname"):
        copy_tokenizer(snapshot, tmp_path / "to")


@pytest.mark.parametrize("name", ["./nowhere", "/no/where", "a/b/c"])
def test_a_folder_that_is_not_there(name: str) -> None:
    with pytest.raises(ValueError, match="no folder"):
        load_hub_model(name)


def test_the_hub_out_of_reach_is_told_within_seconds(tmp_path: Path) -> None:
    dead = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    begun = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", "import gpt_zoo.families as f; f.load_hub_model('nobody/nothing')"],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | dead,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the hub cannot be reached" in run.stderr
    assert "hf download nobody/nothing --local-dir FOLDER" in run.stderr
    assert time.monotonic() - begun < 30


def test_tables_are_read_without_torch() -> None:
    code = (
        "import sys, gpt_zoo.families as f\n"
        "f.read_hub_config({'model_type': 'gpt2', 'vocab_size': 9, 'n_embd': 8, 'n_layer': 1, 'n_head': 1})\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
