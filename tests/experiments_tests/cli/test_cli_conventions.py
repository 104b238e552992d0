"""`cost --conventions` and `--tokens`: the FLOPs of a run, in one convention or in all."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

GPT3 = """\
vocab_size: 50257
context_length: 2048
emb_dim: 12288
n_heads: 96
n_layers: 96
qkv_bias: true
tie_embeddings: true
layers: [{}, {attention: {window: 256}}]
"""
STATUS = Path("/proc/self/status")
GPT2_PARAMS = 124_439_808


def test_conventions_of_a_run_as_json(gpt_zoo):
    answer = gpt_zoo("cost", "gpt2", "--conventions", "--tokens", "300e9", "--format", "json")
    rows = {row["convention"]: row for row in json.loads(answer.stdout)}
    assert rows["6nd"]["flops_train"] == 6 * GPT2_PARAMS * 300 * 10**9
    assert rows["palm"]["flops_train_per_token"] == 6 * GPT2_PARAMS + 12 * 12 * 768 * 1024
    headline = 6 * (12 * 12 * 768**2 + 50257 * 768 + 12 * 2 * 1024 * 768)
    assert rows["matmul_full"]["flops_train_per_token"] == headline
    assert rows["matmul_full"]["of_headline"] == 1
    assert rows["palm"]["of_headline"] == pytest.approx((6 * GPT2_PARAMS + 12 * 12 * 768 * 1024) / headline)
    assert {row["tokens"] for row in rows.values()} == {300 * 10**9}


def test_the_table_tells_sources_and_what_is_refused(gpt_zoo):
    shown = gpt_zoo("cost", "gpt2", "deepseek-v2-lite", "--conventions").stdout
    words = " ".join(shown.split())  # whatever lines are broken into
    for source in ("2001.08361", "2005.14165", "2104.04473", "2203.15556", "2204.02311"):
        assert source in words
    assert (
        "deepseek-v2-lite has no kaplan, kaplan_active, palm, palm_active: made for heads of one size, got "
        "latent attention." in words
    )
    assert max(map(len, shown.splitlines())) <= 120
    markdown = gpt_zoo("cost", "gpt2", "--conventions", "--format", "markdown").stdout
    assert markdown.startswith("| variant")


def test_conventions_as_csv_have_every_digit(gpt_zoo):
    text = gpt_zoo("cost", "mixtral-8x7b", "--conventions", "--format", "csv").stdout
    rows = {row["convention"]: row for row in csv.DictReader(io.StringIO(text))}
    # Jiang et al. 2024, "Mixtral of Experts": 46.7 billion parameters, of which a token uses 12.9.
    assert int(rows["6nd"]["parameters"]) == 46_702_792_704
    assert int(rows["6nd_active"]["flops_train_per_token"]) == 6 * int(rows["palm_active"]["parameters"])


def test_a_run_in_the_table(gpt_zoo):
    answer = gpt_zoo("cost", "gpt2", "--tokens", "1024e6", "--format", "json")
    (row,) = json.loads(answer.stdout)
    assert row["flops_train"] == 3 * row["flops_forward"] * 10**6
    logits = 2 * 1024 * 50257 * 768
    assert row["flops_train_recomputed"] == (4 * row["flops_forward"] - logits) * 10**6
    shown = gpt_zoo("cost", "gpt2", "--tokens", "1024e6").stdout
    assert "Run: 1.024 B tokens" in shown
    assert "windowed" not in shown


def test_windows_have_a_column_where_there_are_some(gpt_zoo):
    assert "windowed" in gpt_zoo("cost", "gpt2", "gemma-3-1b").stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tokens", "0"], "at least 1 token, got --tokens 0; try 300e9"),
        (["--conventions", "--tokens", "-5"], "at least 1 token, got --tokens -5; try 300e9"),
        (["--tokens", "nan"], "at least 1 token, got --tokens nan"),
        (["--tokens", "5", "--decode"], "`--tokens 5` is for the table and --conventions; leave it out"),
        (["--conventions", "--decode"], "choose one of --conventions, --decode"),
        (["--conventions", "--batch-size", "2"], "got --batch-size 2; leave it out"),
        (["--conventions", "--context-length", "2000"], "got 2000 tokens for a context_length of 1024"),
        (["--conventions", "--context-length", "0"], "at least 1, got 0"),
    ],
)
def test_mistakes_are_told_in_a_line(gpt_zoo, options, told):
    answer = gpt_zoo("cost", "gpt2", *options)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.skipif(not STATUS.exists(), reason="the peak of a process is told by Linux only")
@pytest.mark.parametrize("options", [[], ["--conventions", "--tokens", "300e9"]])
def test_175_billion_parameters_are_costed_without_torch_in_little_memory(tmp_path, options):
    (tmp_path / "gpt3.yaml").write_text(GPT3)
    code = (
        f"import re, sys; sys.argv = ['gpt-zoo', 'cost', 'gpt3.yaml', *{options}]\n"
        "from experiments.cli.app import app\n"
        "try: app()\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'numpy', 'pandas', 'fvcore'} & sys.modules.keys()\n"
        f"print(re.search(r'VmHWM:\\s+(\\d+) kB', open('{STATUS}').read())[1])"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "174.6 B" in answer.stdout
    assert int(answer.stdout.split()[-1]) < 300 * 1024  # KiB
