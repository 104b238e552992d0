"""Equal cost on the command line."""

import json

import yaml

HIDDEN = "feed_forward.hidden_dim"


def test_a_match_is_shown_and_written_as_a_variant_that_loads(gpt_zoo, tmp_path):
    gated = ("--set", "feed_forward={kind: gated, bias: true}", "--set", "activation=silu")
    asked = ("match", "gpt2", *gated, "--to", "gpt2", "--on", "params", "--by", HIDDEN)
    shown = gpt_zoo(*asked, "--out", "made/swiglu.yaml")
    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert rows[0] == ["before", "after", "gpt2", "difference"]
    assert rows[1] == [HIDDEN, "2048", "2048", "3072"]
    assert "params: 124,452,096 against 124,439,808, +0.00987%, within 0.01" in shown.stdout
    assert "hidden_dim 2047 gives -0.0124%" in shown.stdout
    written = yaml.safe_load((tmp_path / "made" / "swiglu.yaml").read_text())
    assert written["extends"] == "gpt2"
    [cost] = json.loads(gpt_zoo("cost", "made/swiglu.yaml", "--format", "json").stdout)
    assert cost["params"] == 124_452_096


def test_what_another_file_extends_is_found_from_the_new_one(gpt_zoo, tmp_path):
    (tmp_path / "slim.yaml").write_text("extends: gpt-micro\nfeed_forward: {kind: gated}\n")
    asked = ("match", "slim.yaml", "--to", "gpt-micro", "--by", HIDDEN, "--multiple-of", "4")
    assert gpt_zoo(*asked, "--out", "deep/down/matched.yaml").returncode == 0
    assert gpt_zoo("validate", "deep/down/matched.yaml").returncode == 0
    as_yaml = gpt_zoo(*asked, "--format", "yaml").stdout
    assert yaml.safe_load(as_yaml)["extends"] == "slim.yaml"
    assert yaml.safe_load(as_yaml)["feed_forward"]["hidden_dim"] == 172  # 4·43
    onto_itself = gpt_zoo(*asked, "--out", "slim.yaml")
    assert onto_itself.returncode == 1
    assert "would extend itself" in onto_itself.stderr


def test_json_is_exact(gpt_zoo):
    asked = ("match", "llama-3.2-1b", "--to", "gpt2", "--on", "kv_bytes", "--by", "n_layers")
    told = json.loads(gpt_zoo(*asked, "--format", "json").stdout)
    # 2·768·12 numbers against 2·8·64 a layer: 18 layers; 1024 tokens in numbers of 2 bytes.
    assert (told["before"], told["after"]) == ({"n_layers": 16}, {"n_layers": 18})
    assert told["cost"] == told["cost_target"] == 2 * 768 * 12 * 1024 * 2
    assert (told["difference"], told["context_length"]) == (0.0, 1024)
    assert told["above"] == {"value": 19, "cost": 19 * 2 * 8 * 64 * 1024 * 2}


def test_the_predicted_memory_depends_on_the_batch(gpt_zoo):
    def matched(batch_size):
        asked = (
            "match",
            "gpt-nano",
            "--to",
            "gpt-micro",
            "--on",
            "memory",
            "--by",
            "n_layers",
            "--by",
            HIDDEN,
        )
        answer = gpt_zoo(*asked, "--batch-size", str(batch_size), "--format", "json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    assert matched(64)["cost_target"] > 4 * matched(1)["cost_target"]


def test_a_miss_is_an_error_that_says_what_it_would_take(gpt_zoo, tmp_path):
    answer = gpt_zoo("match", "llama-3.2-1b", "--to", "gpt2", "--by", "emb_dim", "--out", "no.yaml")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "emb_dim 192 with 101,603,520 (-18.4%) and emb_dim 256 with 136,126,720 (+9.39%)" in answer.stderr
    assert "a tolerance of 0.094" in answer.stderr
    assert not (tmp_path / "no.yaml").exists()
    assert gpt_zoo("match", "gpt2", "--to", "gpt2-medum", "--by", "n_layers").stderr.count("gpt2-medium") == 1


def test_no_torch_is_loaded(gpt_zoo, monkeypatch):
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    loaded = gpt_zoo("match", "gpt-nano", "--to", "gpt-nano", "--by", HIDDEN).stderr
    assert "registry.matching.search" in loaded
    assert " torch\n" not in loaded
