"""Comparisons that find the learning rate of each variant by a sweep."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from worker_jobs import TINY, wait_until

from experiments.comparison import run_comparison
from experiments.experiment import Experiment
from experiments.loading import load_experiment
from experiments.record import Status, TrialRecord
from experiments.run_folder import RunFolder
from experiments.tables import trials_table
from experiments.training.learning_rate import rate_by_width

ROOT = Path(__file__).parents[3]
SETTLED = {"precision": "float32", "attention_backend": "written_out", "compile": "off", "loss_chunks": 1}
VARIANTS = [{"name": "small", **TINY}, {"name": "wide", **TINY, "emb_dim": 32}]
AGAIN = {"name": "small-again", **TINY, "attention": {"kind": "grouped_query", "n_kv_heads": TINY["n_heads"]}}


def declare(text: Path, steps: int = 30, **changes: Any) -> Experiment:
    training = {"threads": 1, "batch_size": 4, "evaluations": 2, "device": "cpu", **SETTLED}
    return load_experiment(
        {
            "variants": VARIANTS,
            "data": {"corpus": {"kind": "text", "paths": [str(text)]}, "validation_bytes": 1500},
            "budget": {"steps": steps},
            "seeds": [3, 0],
            **changes,
            "training": {**training, "learning_rate": "auto", **changes.get("training", {})},
        }
    )


def outcomes(run: RunFolder) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {
        (record.variant, record.seed): (
            record.status,
            record.learning_rate,
            record.validation_loss,
            record.learning_rates,
            record.sweep_flops,
        )
        for record in run.load_records()
    }


@pytest.fixture(scope="module")
def swept(text: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_comparison(declare(text), tmp_path_factory.mktemp("swept") / "run")


def by_seed(run: RunFolder, name: str) -> dict[int, TrialRecord]:
    return {record.seed: record for record in run.load_records() if record.variant == name}


def test_one_sweep_serves_all_seeds_of_a_model(swept: RunFolder) -> None:
    for name, width in (("small", 16), ("wide", 32)):
        seeds = by_seed(swept, name)
        assert {record.status for record in seeds.values()} == {Status.COMPLETE}
        assert seeds[3].learning_rate == seeds[0].learning_rate
        assert seeds[3].learning_rates[0].learning_rate == pytest.approx(rate_by_width(width))
        assert (seeds[0].learning_rates, seeds[0].sweep_flops) == ([], 0)
        assert seeds[3].sweep_flops == sum(one.train_flops for one in seeds[3].learning_rates)
        # What the training itself spent does not hold its sweep.
        assert seeds[3].train_flops == seeds[0].train_flops
    assert not list((swept.path / "states").glob("*"))


def test_the_tables_show_the_rate_and_what_finding_it_cost(swept: RunFolder) -> None:
    table = trials_table(swept)
    assert table["learning_rate"].notna().all()
    assert (table["sweep_flops"] > 0).sum() == 2
    assert "learning_rates" not in table
    assert table["validation_loss"].notna().all()
    assert "learning_rate" in (swept.path / "trials.csv").read_text().splitlines()[0]


def test_two_at_once_find_the_same_rates(text: Path, tmp_path: Path, swept: RunFolder) -> None:
    run = run_comparison(declare(text, parallel=2), tmp_path / "run")
    assert outcomes(run) == outcomes(swept)


def test_a_seed_that_comes_later_takes_the_rate_that_was_found(
    text: Path, tmp_path: Path, swept: RunFolder
) -> None:
    run = run_comparison(declare(text, seeds=[3]), tmp_path / "run")
    assert all(record.learning_rates for record in run.load_records())
    run_comparison(declare(text, seeds=[0, 3]), run.path)
    assert outcomes(run) == outcomes(swept)


def test_another_declaration_of_a_model_sweeps_no_more(text: Path, tmp_path: Path, swept: RunFolder) -> None:
    run = run_comparison(declare(text, variants=[VARIANTS[0], AGAIN], seeds=[3]), tmp_path / "run")
    again = by_seed(run, "small-again")[3]
    assert again.status is Status.DUPLICATE
    assert again.learning_rate == by_seed(swept, "small")[3].learning_rate


def test_by_width_is_a_number_in_the_record(text: Path, tmp_path: Path) -> None:
    experiment = declare(text, steps=2, seeds=[0], training={"learning_rate": "by_width"})
    run = run_comparison(experiment, tmp_path / "run")
    rates = {record.variant: record.learning_rate for record in run.load_records()}
    assert rates == {"small": rate_by_width(16), "wide": rate_by_width(32)}
    assert all(record.sweep_flops is None for record in run.load_records())


COMPARE = """
import json, sys
from experiments.comparison import run_comparison
from experiments.loading import load_experiment
run_comparison(load_experiment(json.loads(sys.argv[1])), sys.argv[2])
"""


def test_a_sweep_that_was_killed_goes_on_and_finds_the_same(text: Path, tmp_path: Path) -> None:
    experiment = declare(text, steps=600, variants=VARIANTS[:1], seeds=[0])
    run = RunFolder(tmp_path / "run")
    command = [sys.executable, "-c", COMPARE, json.dumps(experiment.to_data()), str(run.path)]
    kept = run.path / "states" / "00000-seed0.sweep.json"
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        wait_until(kept.exists, "the first short training", 120)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = kept.read_text()
    assert run.load_records() == []
    assert len(json.loads(before)["tried"]) < 7
    run_comparison(experiment, run.path)
    assert outcomes(run) == outcomes(run_comparison(experiment, tmp_path / "whole"))
    assert not list((run.path / "states").iterdir())
