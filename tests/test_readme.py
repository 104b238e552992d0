"""What the README shows must work as it stands: its files, its commands and its Python, in their order."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gpt_zoo.families import list_families
from registry import DeclarationError, load_variant

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some text of one's own: this repository's modules."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "my-texts").mkdir()
    for index, path in enumerate(sorted(README.parent.glob("gpt_zoo/**/*.py"))):
        (folder / "my-texts" / f"{index}.txt").write_text(path.read_text())
    return folder


def blocks(language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(README.read_text()) if found == language]


def run(command: list[str], folder: Path) -> str:
    command_line = [sys.executable, "-P", "-m", "experiments.cli.app", *command[1:]]
    program = command_line if command[0] == "gpt-zoo" else [sys.executable, "-P", *command[1:]]
    done = subprocess.run(
        program,
        cwd=folder,
        env={**os.environ, "GPT_ZOO_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_every_file_command_and_program_of_the_readme_works(workplace):
    for block in blocks("yaml"):
        name = block.splitlines()[0].removeprefix("# ")
        (workplace / name).write_text(block)
    make, *commands = blocks("sh")
    targets = re.findall(r"^make (\w+)", make, re.MULTILINE)
    makefile = (README.parent / "Makefile").read_text()
    assert targets == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    lines = [line for block in commands for line in block.splitlines() if line.strip()]
    assert lines
    for line in lines:
        run(shlex.split(line, comments=True), workplace)
    for program in blocks("python"):
        run(["python", "-c", program], workplace)


def test_the_errors_of_the_readme_are_the_real_ones(workplace):
    good = next(block for block in blocks("yaml") if block.startswith("# slim.yaml"))
    shown = next(block for block in blocks("text") if block.startswith("slim.yaml:"))
    told = []
    for wrong, right in (("activaton: silu", "activation: silu"), ("n_kv_heads: 3", "n_kv_heads: 2")):
        path = workplace / "wrong" / "slim.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(good.replace(right, wrong))
        with pytest.raises(DeclarationError) as error:
            load_variant(path)
        told += [line.removeprefix(f"{path.parent}{os.sep}") for line in str(error.value).splitlines()]
    assert told == shown.splitlines()


def test_the_readme_names_every_family_and_counts_the_catalog():
    text = " ".join(README.read_text().split())
    families = list_families()
    assert f"{len(families)} families, as transformers calls them: " in text
    assert all(f"`{family}`" in text for family in families)
    with (README.parent / "tests/registry_tests/published_params.csv").open(encoding="utf-8") as file:
        published = sum(1 for _ in file) - 1
    assert f"{published} published models" in text
