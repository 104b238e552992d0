"""What docs/ shows must work as it stands: its files, its commands, its tests, in their order."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gpt_zoo import GPTConfig
from gpt_zoo.families import read_hub_config
from registry import load_variant
from registry.reference import render_reference
from registry.yaml_source import load_document

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = {
    "gpt-zoo": ["-P", "-m", "experiments.cli.app"],
    "pytest": ["-m", "pytest", "-p", "no:cacheprovider"],
}


def blocks(page: str, *languages: str) -> list[str]:
    found = BLOCK.findall((ROOT / "docs" / page).read_text())
    return [body for language, body in found if language in languages]


def run(line: str, folder: Path) -> str:
    program, *arguments = shlex.split(line)
    done = subprocess.run(
        [sys.executable, *PROGRAMS[program], *arguments],
        cwd=folder,
        env={**os.environ, "GPT_ZOO_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_plugin_of_the_docs_works(tmp_path):
    for block in blocks("plugins.md", "python", "yaml"):
        (tmp_path / block.splitlines()[0].removeprefix("# ")).write_text(block)
    lines = [line for block in blocks("plugins.md", "sh") for line in block.splitlines()]
    shown = {" ".join(shlex.split(line)[:2]): run(line, tmp_path) for line in lines}
    assert "variant differential" in shown["gpt-zoo validate"]
    assert "(plug-in my_zoo)" in shown["gpt-zoo list"]
    # Two factors in each of four layers: the weights are those of multi-head attention.
    attention = next(line for line in shown["gpt-zoo diff"].splitlines() if line.startswith("attention"))
    assert attention.split()[:4] == ["attention", "multi_head", "differential(start=0.5)", "+8"]
    assert "DifferentialAttention" in shown["gpt-zoo show"]
    assert shown["gpt-zoo search"].count("complete") == 4
    assert "5 passed" in shown["pytest -q"]


@pytest.mark.slow
def test_the_guide_to_variants_works(tmp_path):
    for block in blocks("variants.md", "yaml"):
        (tmp_path / block.splitlines()[0].removeprefix("# ")).write_text(block)
    for block in blocks("variants.md", "sh"):
        for line in block.splitlines():
            run(line, tmp_path)
    [cost] = json.loads(run("gpt-zoo cost llama-160m.yaml --format json", tmp_path))
    page = (ROOT / "docs" / "variants.md").read_text()
    assert f"`cost` counts {cost['params']:,} parameters" in page
    # The config.json beside it is read as the same model.
    [published] = blocks("variants.md", "json")
    assert read_hub_config(json.loads(published)) == load_variant(tmp_path / "llama-160m.yaml").config


@pytest.mark.slow
def test_the_sweeps_of_the_page_on_learning_rates_work(tmp_path):
    for block in blocks("learning-rate.md", "yaml"):
        (tmp_path / block.splitlines()[0].removeprefix("# ")).write_text(block)
    for block in blocks("learning-rate.md", "sh"):
        for line in block.splitlines():
            assert run(line, tmp_path).count("complete") == 4


@pytest.mark.parametrize(
    "page", ["learning-rate.md", "report.md", "variants.md", "plugins.md", "reference.md"]
)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / "docs" / page).read_text()):
        assert (ROOT / "docs" / target).is_file(), target


def test_the_reference_is_current():
    # `python -m registry.reference` writes it anew.
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == render_reference()


def test_the_words_that_the_guide_translates_are_fields_of_ours():
    rows = re.findall(r"^\| .* \| (.*) \|$", (ROOT / "docs" / "variants.md").read_text(), re.MULTILINE)
    fragments = [code for row in rows[1:] for code in re.findall(r"`(\w+: [^`]+)`", row)]
    fragments = [code for code in fragments if code.partition(":")[0] in GPTConfig.model_fields]
    assert len(fragments) >= 20
    for fragment in fragments:
        load_variant("llama-2-7b", load_document(fragment).data)
