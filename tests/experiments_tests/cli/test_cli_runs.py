"""The commands that train, from their words to what lies in the run folder."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

pytestmark = pytest.mark.slow


def test_train_then_generate(gpt_zoo, tmp_path):
    trained = gpt_zoo("train", "gpt-micro", quick=True)
    assert trained.returncode == 0, trained.stderr
    assert "Report: runs/train-gpt-micro/report.html" in trained.stdout
    run = str(tmp_path / "runs/train-gpt-micro")
    first, again = (
        gpt_zoo("generate", run, "--prompt", "def ", "--max-new-tokens", "20", "--seed", "1")
        for _ in range(2)
    )
    assert first.stdout.startswith("def ")
    assert len(first.stdout) > len("def \n")
    assert first.stdout == again.stdout
    assert "trial 9" in gpt_zoo("generate", run, "--trial", "9").stderr
    assert gpt_zoo("generate", run, "--temperature", "-1").returncode == 1


def test_search_writes_its_folder_and_continues_where_it_ended(gpt_zoo, tmp_path):
    shrink = ["--set", "space.emb_dim={choice: [16, 32]}", "--set", "space.context_length=32"]
    shrink += ["--set", "search.confirm=0"]
    first = gpt_zoo("search", "demo", *shrink, "--set", "search.trials=2", quick=True)
    assert first.returncode == 0, first.stderr
    run = tmp_path / "runs/demo"
    names = ("experiment.yaml", "environment.json", "study.db", "trials.csv", "curves.parquet", "report.md")
    assert all((run / name).is_file() for name in names)
    before = {path.name: path.read_text() for path in (run / "trials").glob("*.json")}
    more = gpt_zoo("search", "demo", *shrink, "--set", "search.trials=3", quick=True)
    assert more.returncode == 0, more.stderr
    after = {path.name: path.read_text() for path in (run / "trials").glob("*.json")}
    assert before.items() < after.items()
    trials = pd.read_parquet(run / "trials.parquet")
    assert list(trials["trial"]) == list(range(len(after)))
    complete = trials[trials["status"] == "complete"]
    assert len(complete) == 3
    numbers = ["params", "flops_forward", "train_flops", "memory_bytes", "tokens", "validation_loss"]
    assert (complete[numbers] > 0).all().all()
    environment = json.loads((run / "environment.json").read_text())
    assert environment["packages"]["torch"]
    assert environment["corpus_hash"]
    other = gpt_zoo("search", "demo", *shrink, "--set", "training.learning_rate=1e-4", quick=True)
    assert other.returncode == 1
    assert "training.learning_rate" in other.stderr


def test_compare_and_report(gpt_zoo, tmp_path):
    compared = gpt_zoo(
        "compare", "gpt-micro", "modern-nano", "--set", "seeds=[0, 1]", "--out", "here", quick=True
    )
    assert compared.returncode == 0, compared.stderr
    trials = pd.read_parquet(tmp_path / "here/trials.parquet")
    assert sorted(zip(trials["variant"], trials["seed"], strict=True)) == [
        ("gpt-micro", 0),
        ("gpt-micro", 1),
        ("modern-nano", 0),
        ("modern-nano", 1),
    ]
    assert set(trials["steps"]) == {6}  # one budget
    (tmp_path / "here/report.html").unlink()
    (tmp_path / "here/report.md").unlink()
    assert gpt_zoo("report", "here", "--format", "markdown").returncode == 0
    assert (tmp_path / "here/report.md").is_file()
    assert not (tmp_path / "here/report.html").exists()
    assert "is no run folder" in gpt_zoo("report", ".").stderr


def test_what_cannot_work_is_told_before_anything_is_trained(gpt_zoo):
    for arguments, told in (
        (["search", "compare"], "it is a comparison, not a search"),
        (["compare", "-e", "demo"], "it is a search, not a comparison"),
        (["search", "dmeo"], "did you mean `demo`?"),
        (["search", "demo", "--set", "objectives=[loss]"], "no objective is called `loss`"),
        (["search", "demo", "--set", "training.device=cuda"], "device `cuda`"),
    ):
        answer = gpt_zoo(*arguments)
        assert (answer.returncode, "Traceback" in answer.stderr) == (1, False)
        assert told in answer.stderr


def test_a_password_in_a_storage_url_is_not_shown(gpt_zoo, tmp_path):
    answer = gpt_zoo("search", "demo", "--storage", "postgresql://me:hunter2@localhost:1/db", quick=True)
    assert answer.returncode == 1
    assert "hunter2" not in answer.stdout + answer.stderr
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert kept == []


def test_a_search_in_which_nothing_can_be_trained_says_so_before_it_trains(gpt_zoo, tmp_path):
    answer = gpt_zoo("search", "demo", "--set", "constraints=[params <= 10]", quick=True)
    assert answer.returncode == 1
    assert "break `params <= 10`; loosen the constraints" in answer.stderr
    assert not (tmp_path / "runs/demo/trials").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_goes_on_from_its_state(gpt_zoo, tmp_path, token_cache, number):
    settings = [
        "budget.tokens=3e7",
        "training.threads=1",
        "data.max_bytes=60_000",
        "data.validation_bytes=2_000",
    ]
    command = [sys.executable, "-P", "-m", "experiments.cli.app", "train", "gpt-micro"]
    command += [word for setting in settings for word in ("--set", setting)]
    environment = {**os.environ, "GPT_ZOO_CACHE": str(token_cache)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    log = tmp_path / "runs/train-gpt-micro/environment.json"
    deadline = time.monotonic() + 60
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(4)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the same command goes on from here" in said
    assert list((tmp_path / "runs/train-gpt-micro/states").glob("*.safetensors"))
    assert not list((tmp_path / "runs/train-gpt-micro/trials").glob("*.json"))
