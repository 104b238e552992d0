"""The wheel holds all that the program needs: built, installed elsewhere, used from a foreign folder."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import gpt_zoo

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["GPT_ZOO_CACHE"] = str(cwd / "cache")
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]} {done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # A copy, so that nothing is built beside the sources.
    ignored = shutil.ignore_patterns(".venv", ".git", "runs", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, source, ignore=ignored)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_every_module_and_data_file_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "gpt_zoo", "registry", "experiments"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(tracked.stdout.split()) <= names
    assert {name.split("/")[0] for name in names} == {"gpt_zoo", "registry", "experiments"}
    assert f"gpt_zoo-{gpt_zoo.__version__}-" in wheel.name


@pytest.mark.slow
def test_an_installed_wheel_lists_and_searches_from_a_foreign_folder(wheel, tmp_path):
    place = tmp_path / "environment"
    venv.create(place, with_pip=True)
    constraints = ROOT / "constraints.txt"
    run(place / "bin/pip", "install", "-q", "-c", constraints, wheel, cwd=tmp_path)
    # What people have beside their own work must not be mistaken for ours.
    for name in ("experiments", "registry", "gpt_zoo"):
        (tmp_path / name).mkdir()
    command = place / "bin/gpt-zoo"
    assert "gpt2-xl" in run(command, "list", cwd=tmp_path)
    settings = ["search.trials=2", "budget.steps=5", "space.emb_dim=32", "data.validation_bytes=2_000"]
    overrides = [word for setting in settings for word in ("--set", setting)]
    shown = run(command, "search", "demo", *overrides, cwd=tmp_path)
    assert "Report: runs/demo/report.html" in shown
    assert (tmp_path / "runs/demo/report.html").is_file()
