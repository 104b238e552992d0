"""What differs between two variants, and what a model consists of, on the command line."""

import json

import pytest


def test_a_diff_as_json_is_exact(gpt_zoo):
    told = json.loads(gpt_zoo("diff", "gpt2", "gpt2-medium", "--format", "json").stdout)
    assert (told["a"], told["b"]) == ("gpt2", "gpt2-medium")
    assert [[change["field"] for change in row["fields"]] for row in told["differences"]] == [
        ["emb_dim", "n_heads"],
        ["n_layers"],
    ]
    depth = told["differences"][1]
    assert depth["fields"] == [{"field": "n_layers", "a": 12, "b": 24}]
    assert depth["cost"]["params"] == 12 * (12 * 768**2 + 13 * 768)
    assert told["total"]["params"] == 354_823_168 - 124_439_808


def test_a_diff_as_a_table_has_a_row_each_and_the_total(gpt_zoo, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "extends: gpt-nano\nattention: {kind: grouped_query, n_kv_heads: 2}\n"
        "norm: {kind: rms_norm, eps: 1e-6}\n"
    )
    shown = gpt_zoo("diff", "gpt-nano", "mine.yaml").stdout
    head, attention, norm, total = (line.split() for line in shown.split("\n\n")[0].splitlines())
    assert head[:3] == ["field", "gpt-nano", "mine"]
    assert attention[:3] == ["attention", "multi_head", "grouped_query(n_kv_heads=2)"]
    # Two of four heads of 32 numbers less, for keys and values, in four layers: weights and biases.
    assert attention[3:5] == ["-66.05", "k"]
    assert norm[:3] == ["norm", "layer_norm", "rms_norm(eps=1e-06)"]
    assert norm[3:] == ["-1.152", "k", "0", "0", "0"]
    assert total[0] == "total"
    assert "need not add up" in shown


def test_fields_that_cannot_change_alone_say_why(gpt_zoo):
    shown = gpt_zoo("diff", "gpt2", "gpt2-medium", "--format", "markdown").stdout
    assert "| emb_dim<br>n_heads | 768<br>12 | 1024<br>16 " in " ".join(shown.split())
    assert "emb_dim, n_heads change together: `emb_dim` must be a multiple of `n_heads`" in shown


def test_variants_that_do_not_differ_are_no_error(gpt_zoo):
    answer = gpt_zoo(
        "diff", "gpt2", "gpt2-medium", "--set", "emb_dim=64", "--set", "n_heads=4", "--set", "n_layers=1"
    )
    assert (answer.returncode, answer.stdout) == (0, "gpt2 and gpt2-medium do not differ.\n")
    empty = json.loads(gpt_zoo("diff", "gpt2", "gpt2", "--format", "json").stdout)
    assert empty["differences"] == []


def test_an_unknown_variant_is_an_error(gpt_zoo):
    answer = gpt_zoo("diff", "gpt2", "gpt2-medum")
    assert answer.returncode == 1
    assert "did you mean `gpt2-medium`?" in answer.stderr


@pytest.mark.slow
def test_a_summary_shows_alike_layers_once(gpt_zoo):
    shown = gpt_zoo("show", "gpt-nano", "--summary").stdout
    rows = {line.split()[0]: line.split()[1:] for line in shown.split("\n\n")[0].splitlines()}
    assert rows["model"][:6] == ["GPTModel", "1", "x", "128", "x", "256"]
    # 12·128² + 13·128 in each of four layers; 243 million FLOPs in all.
    assert " ".join(rows["blocks.0-3"]).startswith("TransformerBlock 1 x 128 x 128 4 x 198 k 94.1%")
    assert rows["head"][-3:] == ["tied", "8.39", "MFLOP"]
    assert "243 MFLOP" in shown
    short = gpt_zoo("show", "gpt-nano", "--summary", "--depth", "1", "--set", "n_layers=2").stdout
    assert "blocks.0-1" in short
    assert "attention" not in short


def test_a_depth_needs_a_summary(gpt_zoo):
    answer = gpt_zoo("show", "gpt-nano", "--depth", "1")
    assert answer.returncode == 1
    assert "give --summary too" in answer.stderr
