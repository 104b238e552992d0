"""Searches of tiny spaces, and what they leave behind."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from experiments.experiment import Experiment
from experiments.loading import load_experiment
from experiments.progress import Silent
from experiments.record import TrialRecord
from experiments.run_folder import RunFolder

TINY = {"vocab_size": 256, "context_length": 16, "emb_dim": 16, "n_heads": 2, "n_layers": 1}

SPACE = {
    **TINY,
    "emb_dim": {"choice": [8, 12, 16, 24, 64]},
    "n_heads": {"choice": [2, 4, 5]},  # 5 divides none of the widths
    "n_layers": {"int": {"low": 1, "high": 2}},
    "attention": {
        "choice": [{"kind": "multi_head"}, {"kind": "grouped_query", "n_kv_heads": {"choice": [1, 2]}}]
    },
}
LIMIT = "params <= 30_000"  # broken by two layers of width 64, and by one with an untied head


@dataclass(frozen=True)
class Searches:
    """Searches on one text."""

    text: Path

    def declare(self, space: dict[str, Any], **changes: Any) -> Experiment:
        data: dict[str, Any] = {
            "name": "tiny",
            "space": space,
            "data": {"corpus": {"kind": "text", "paths": [str(self.text)]}, "validation_bytes": 1500},
            "training": {"threads": 1, "batch_size": 4, "evaluations": 1, **changes.pop("training", {})},
            "budget": {"steps": 3},
            **changes,
        }
        return load_experiment(data)


class Listening(Silent):
    """A Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


def points(run: RunFolder) -> list[tuple[int, int, dict[str, Any], str, float | None]]:
    """What a search is about, without what no two runs share: times, and peaks of memory."""
    return [
        (record.trial, record.seed, record.parameters, record.status.value, record.validation_loss)
        for record in run.load_records()
    ]


def trained(run: RunFolder) -> list[TrialRecord]:
    return [record for record in run.load_records() if record.was_trained]


def load_study(run: RunFolder, storage: str | None = None) -> optuna.Study:
    return optuna.load_study(study_name="tiny", storage=storage or f"sqlite:///{run.study}")


def assert_same(run: RunFolder, whole: RunFolder) -> None:
    """A search that was cut off proposed and found what one that was not did, and left nothing half-done."""
    assert points(run) == points(whole)
    study, expected = load_study(run), load_study(whole)
    assert [(trial.number, trial.params, trial.values, trial.state) for trial in study.trials] == [
        (trial.number, trial.params, trial.values, trial.state) for trial in expected.trials
    ]
    assert not list((run.path / "states").glob("*"))


def load_importances(run: RunFolder) -> dict[str, dict[str, float]]:
    shares: dict[str, dict[str, float]] = json.loads(run.importances.read_text())
    return shares
