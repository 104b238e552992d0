"""The tables of a run as a person or a program gets them."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from report_runs import make_record, make_run
from search_runs import SEARCHED, searched_records

from experiments.run_folder import RunFolder
from experiments.written_tables import TABLES, write_run_table


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("run"), searched_records(), **SEARCHED)


def test_tables_for_people_leave_out_what_says_nothing(run: RunFolder) -> None:
    head, first, second, *_ = write_run_table(run, "stopping", "table").splitlines()
    assert head.split()[:5] == ["trial", "name", "seed", "stopped_at", "stopped_loss"]
    assert first.split()[:6] == ["4", "trial", "4", "1", "25%", "5.000"]
    assert "yes" in second
    assert "250 GFLOP" in first
    assert write_run_table(run, "lessons", "table") == "The table lessons of this run has no rows.\n"
    ranks = write_run_table(run, "ranks", "table").splitlines()
    assert ranks[1].split()[:2] == ["25%", "7"]
    assert "1.23 M" in write_run_table(run, "summary", "table")


@pytest.mark.parametrize("name", TABLES)
def test_programs_get_every_digit(run: RunFolder, name: str) -> None:
    table = TABLES[name](run)
    rows = json.loads(write_run_table(run, name, "json"))
    assert len(rows) == len(table)
    if rows:
        assert list(rows[0]) == list(table)
    assert "NaN" not in write_run_table(run, name, "json")
    (head, *body) = csv.reader(io.StringIO(write_run_table(run, name, "csv")))
    assert head == list(table)
    assert len(body) == len(table)


def test_what_is_missing_is_null(run: RunFolder) -> None:
    rows = json.loads(write_run_table(run, "stopping", "json"))
    assert rows[0]["final_loss"] == 3.55
    assert rows[0]["is_mistake"] is False
    assert rows[3]["final_loss"] is rows[3]["is_mistake"] is rows[3]["continued_by"] is None


def test_the_command_writes_them(tmp_path: Path) -> None:
    make_run(tmp_path / "here", [make_record(0)])

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "experiments.cli.app", "table", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    (row,) = json.loads(call("here", "--what", "trials", "--format", "json").stdout)
    assert (row["trial"], row["validation_loss"]) == (0, 3.0)
    assert "variant-0" in call("here").stdout
    missing = call(".")
    assert (missing.returncode, missing.stderr) == (
        1,
        "error: . is no run folder: it holds no experiment.yaml\n",
    )
