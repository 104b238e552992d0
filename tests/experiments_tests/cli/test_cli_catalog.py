"""The commands about what is declared."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from experiments.loading import list_recipes
from experiments.schema import SCHEMA_FOLDER, experiment_schema
from gpt_zoo import GPTConfig
from registry import list_variants, load_variant
from registry.yaml_source import load_document

HEAVY = ("torch", "pandas", "optuna", "pydantic", "numpy", "matplotlib")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['gpt-zoo', '--help']\n"
        "from experiments.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        f"print('loaded', [name for name in {HEAVY} if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded []" in answer.stdout
    assert "search" in answer.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["cost", "gpt2"],
        ["list"],
        ["list", "--kinds"],
        ["show", "gpt2"],
        ["schema"],
        ["diff", "gpt2", "gpt2-medium"],
    ],
)
def test_commands_about_declarations_need_no_torch(arguments):
    code = (
        f"import sys; sys.argv = ['gpt-zoo', *{arguments}]\n"
        "from experiments.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print('loaded', [name for name in ('torch', 'pandas', 'optuna') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded []" in answer.stdout


def test_list_names_all_that_is_shipped(gpt_zoo):
    shown = gpt_zoo("list").stdout
    assert all(name in shown for name in (*list_variants(), *list_recipes()))


def test_cost_as_json_has_the_published_count_and_exact_flops(gpt_zoo):
    answer = gpt_zoo("cost", "gpt2", "gpt2-xl", "--format", "json", "--batch-size", "8")
    gpt2, xl = json.loads(answer.stdout)
    assert (gpt2["variant"], gpt2["params"], xl["params"]) == ("gpt2", 124_439_808, 1_557_611_200)
    # Twelve layers of 12·D² weights and the tied head, for 1024 tokens; twice T·T·D a layer for attention.
    weights = 12 * 12 * 768**2 + 50257 * 768
    macs = 1024 * weights + 12 * 2 * 1024**2 * 768
    assert gpt2["flops_forward"] == 2 * macs
    assert gpt2["flops_forward_causal"] == 2 * (1024 * weights + 12 * 2 * 768 * (1024 * 1025 // 2))
    assert gpt2["flops_train_per_token"] * 1024 == 3 * gpt2["flops_forward"]
    assert gpt2["flops_train_step"] == 8 * 3 * gpt2["flops_forward"]
    assert gpt2["kv_cache_bytes_per_token"] == 2 * 12 * 768 * 2
    assert gpt2["params_non_embedding"] == 124_439_808 - (50257 + 1024) * 768


def test_cost_in_every_format_tells_the_same(gpt_zoo):
    (row,) = csv.DictReader(io.StringIO(gpt_zoo("cost", "gpt2", "--format", "csv").stdout))
    assert int(row["params"]) == 124_439_808
    assert gpt_zoo("cost", "gpt2", "--format", "markdown").stdout.startswith("| variant")
    assert "124.4 M" in gpt_zoo("cost", "gpt2").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gpt2", "--context-length", "2048"], "got 2048 tokens for a context_length of 1024"),
        (["gpt2", "--batch-size", "0"], "at least 1"),
        (["gpt3"], "did you mean `gpt2`?"),
        (["gpt2", "--set", "n_head=3"], "did you mean `n_heads`?"),
        (["gpt2", "--set", "n_heads=7"], "`emb_dim` must be a multiple of `n_heads`, got 768 and 7"),
    ],
)
def test_a_mistake_is_told_in_a_line_and_ends_with_1(gpt_zoo, arguments, told):
    answer = gpt_zoo("cost", *arguments)
    assert answer.returncode == 1
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_wrong_command_line_ends_with_2(gpt_zoo):
    assert gpt_zoo("cots").returncode == 2
    assert gpt_zoo("cost", "gpt2", "--format", "xml").returncode == 2


@pytest.mark.parametrize("name", ["gpt2-124m", "modern-small"])
def test_show_prints_what_loads_again_as_the_same_config(gpt_zoo, tmp_path, name):
    (tmp_path / "copy.yaml").write_text(gpt_zoo("show", name).stdout)
    assert load_variant(tmp_path / "copy.yaml").config == load_variant(name).config


def test_show_lays_overrides_over(gpt_zoo):
    shown = yaml.safe_load(gpt_zoo("show", "gpt-nano", "--set", "n_layers=7").stdout)
    assert shown["n_layers"] == 7
    assert set(GPTConfig.model_fields) <= set(shown)


def test_validate_places_each_mistake(gpt_zoo, tmp_path):
    (tmp_path / "good.yaml").write_text("extends: gpt-nano\nn_layers: 2\n")
    (tmp_path / "bad.yaml").write_text(
        "extends: gpt-nano\nemb_dmi: 64\nattention:\n  kind: grouped_query\n  n_kv_heads: many\n"
    )
    answer = gpt_zoo("validate", "good.yaml", "bad.yaml")
    assert answer.returncode == 1
    assert "good.yaml: variant good" in answer.stdout
    assert "bad.yaml:2:1: emb_dmi: unknown key `emb_dmi`; did you mean `emb_dim`?" in answer.stderr
    assert "bad.yaml:5:3: attention.n_kv_heads" in answer.stderr


def test_validate_knows_variants_spaces_and_experiments(gpt_zoo, tmp_path):
    (tmp_path / "space.yaml").write_text("extends: gpt-nano\nn_layers: {int: {low: 2, high: 8}}\n")
    (tmp_path / "search.yaml").write_text("space: {extends: ./space.yaml}\nbudget: {tokens: 1e5}\n")
    (tmp_path / "both.yaml").write_text(
        "space: {extends: ./space.yaml}\nvariants: [gpt-nano]\nbudget: {tokens: 1e5, steps: 3}\n"
    )
    answer = gpt_zoo("validate", "space.yaml", "search.yaml", "both.yaml")
    assert "space.yaml: space space, 7 points" in answer.stdout
    assert "search.yaml: search search of space search, 7 points" in answer.stdout
    assert "both.yaml:3:1: budget" in answer.stderr


def test_the_shipped_schema_of_experiments_is_current():
    shipped = json.loads((SCHEMA_FOLDER / "experiment.schema.json").read_text())
    assert shipped == experiment_schema(), "run `python -m experiments.schema`"


@pytest.mark.parametrize("path", list_recipes().values(), ids=lambda path: path.stem)
def test_every_shipped_experiment_fits_the_schema(path):
    jsonschema.validate(load_document(path).data, experiment_schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"budgt": {"tokens": 1}},
        {"budget": {"token": 1}},
        {"training": {"learning_rat": 1}},
        {"space": {"extends": "gpt-nano", "emb_dmi": 3}},
        {"variants": ["gpt-nano"]},
    ],
)
def test_a_mistake_does_not_fit_the_schema(wrong):
    fine = {"space": {"extends": "gpt-nano", "emb_dim": {"choice": [64]}}, "budget": {"tokens": 1000}}
    jsonschema.validate(fine, experiment_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**fine, **wrong}, experiment_schema())


def test_schema_prints_each(gpt_zoo):
    for what in ("variant", "space", "experiment"):
        jsonschema.Draft202012Validator.check_schema(json.loads(gpt_zoo("schema", what).stdout))


def test_the_recipes_are_found_by_a_path_too(tmp_path):
    from experiments.loading import load_experiment

    path = tmp_path / "mine.yaml"
    path.write_text(Path(list_recipes()["demo"]).read_text().replace("name: demo\n", ""))
    assert load_experiment(path).config.name == "mine"
