"""Plug-ins on the command line: named before or behind the command, in a variable, or installed."""

import os
from pathlib import Path

import pytest

import experiments

ROOT = Path(experiments.__file__).parents[1]
NORM = """
from typing import ClassVar, Literal
from gpt_zoo.config.norm.base import NormConfig
from registry import register_kind

class Seventh(NormConfig):
    kind: Literal["seventh"] = "seventh"
    module: ClassVar[str] = "torch.nn:Identity"
    source: ClassVar[str] = "Ourselves 2026"

    def params(self, width: int) -> int:
        return 7 * width

register_kind("norm", Seventh)
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "my_norms.py").write_text(NORM)
    (tmp_path / "mine.yaml").write_text("extends: gpt-nano\nnorm: {kind: seventh}\n")
    return tmp_path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two installed plug-ins, of which one fails."""
    site = tmp_path / "site"
    info = site / "zoo_extras-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-extras\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gpt_zoo.plugins]\nextra-broken = broken\nextra-norms = good\n")
    (site / "good.py").write_text(f"print('good is loaded')\n{NORM}")
    (site / "broken.py").write_text("import not_to_be_found\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(site)]))
    return site


@pytest.mark.parametrize(
    "words",
    [
        ["validate", "mine.yaml", "--plugin", "my_norms"],
        ["validate", "--plugin=my_norms", "mine.yaml"],
        ["--plugin", "my_norms", "validate", "mine.yaml"],
    ],
)
def test_a_plugin_is_named_before_or_behind_the_command(gpt_zoo, mine, words):
    answer = gpt_zoo(*words)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("mine.yaml: variant mine, ")


def test_plugins_are_named_by_a_variable(gpt_zoo, mine, monkeypatch):
    (mine / "others.py").write_text(
        "from registry import activation\nactivation('sine')(lambda x: x.sin())\n"
    )
    monkeypatch.setenv("GPT_ZOO_PLUGINS", "my_norms others")
    shown = gpt_zoo("diff", "gpt-nano", "mine.yaml", "--set", "activation=sine")
    assert shown.returncode == 0, shown.stderr
    assert "seventh" in shown.stdout


def test_without_its_plugin_a_kind_is_unknown(gpt_zoo, mine):
    answer = gpt_zoo("validate", "mine.yaml")
    assert answer.returncode == 1
    assert "mine.yaml:2:1: norm: `norm` has no kind `seventh`" in answer.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("my_norm", "there is no module `my_norm`, neither installed nor in"),
        ("my_norms.py", "a plug-in is named as Python imports it; try `my_norms`"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_told_in_a_line(gpt_zoo, mine, name, told):
    answer = gpt_zoo("validate", "mine.yaml", "--plugin", name)
    assert answer.returncode == 1
    assert told in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_installed_plugins_need_no_option_and_a_broken_one_stops_nothing(
    gpt_zoo, mine, installed, monkeypatch
):
    answer = gpt_zoo("validate", "mine.yaml")
    assert answer.returncode == 0
    assert "variant mine" in answer.stdout
    (warning,) = answer.stderr.splitlines()
    assert warning.startswith("warning: the plug-in `extra-broken` cannot be loaded: ModuleNotFoundError: ")
    assert "`not_to_be_found`" in warning.replace("'", "`")
    monkeypatch.setenv("GPT_ZOO_DEBUG", "1")
    assert "import not_to_be_found" in gpt_zoo("validate", "mine.yaml").stderr


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"]])
def test_help_loads_no_plugin(gpt_zoo, installed, words):
    answer = gpt_zoo(*words)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "--plugin" in answer.stdout
    assert "good is loaded" not in answer.stdout
    assert "good is loaded" in gpt_zoo("list", "--kinds").stdout
