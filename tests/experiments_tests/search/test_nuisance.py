"""Settings of the training that are searched beside the architecture."""

from pathlib import Path
from typing import Any

import pytest
from tiny_searches import TINY, Searches, points, trained

from experiments.experiment import Experiment
from experiments.joint_space import JointSpace
from experiments.record import Status
from experiments.search import run_search
from experiments.settings import combine_settings, identify_settings, settings_of
from registry.domains import Choice, Domain, Float, Int
from registry.errors import DeclarationError

SETTLED = {"precision": "float32", "attention_backend": "written_out", "compile": "off", "loss_chunks": 1}
RATES = [0.001, 0.01]
SPACE = {**TINY, "n_layers": {"int": {"low": 1, "high": 2}}, "n_heads": {"choice": [2, 3]}}  # 3 divides no 16


def declare(searches: Searches, nuisance: dict[str, Any], **search: Any) -> Experiment:
    return searches.declare(
        SPACE, training=SETTLED, budget={"steps": 10}, search={"nuisance": nuisance, **search}
    )


@pytest.mark.parametrize(
    ("domain", "values"),
    [
        (Choice(options=(0.1, 0.3)), [0.1, 0.3]),
        (Float(low=1e-4, high=1.0, step=None, log=True), [1e-4, 1e-3, 1e-2, 1e-1, 1.0]),
        (Float(low=0.0, high=1.0, step=None), [0.0, 0.25, 0.5, 0.75, 1.0]),
        (Float(low=0.0, high=0.2, step=0.1), [0.0, 0.1, 0.2]),
        (Int(low=1, high=3), [1, 2, 3]),
        (Int(low=0, high=100), [0, 25, 50, 75, 100]),
    ],
)
def test_a_range_is_stood_for_by_some_of_its_values(domain: Domain, values: list[float]) -> None:
    combined = [one["training.learning_rate"] for one in combine_settings({"training.learning_rate": domain})]
    assert combined == pytest.approx(values)
    assert all(domain.accept(value) == value for value in combined)
    assert list(combine_settings({})) == [{}]


def test_settings_are_told_from_what_is_compared() -> None:
    parameters = {"emb_dim": 16, "training.learning_rate": 0.1}
    assert settings_of(parameters) == {"learning_rate": 0.1}
    assert identify_settings(parameters) == identify_settings({**parameters, "emb_dim": 32}) != ""
    assert identify_settings({"emb_dim": 16}) == ""


def test_a_grid_tries_each_architecture_at_each_setting(searches: Searches, tmp_path: Path) -> None:
    experiment = declare(searches, {"learning_rate": {"choice": RATES}}, sampler="grid")
    assert experiment.space is not None
    joint = JointSpace(experiment.space, experiment.settings)
    assert joint.size == len(list(joint.enumerate())) == 2 * 2 * 2
    run = run_search(experiment, tmp_path)
    complete = [record for record in run.load_records() if record.status is Status.COMPLETE]
    assert len(complete) == 4
    assert len({record.config_hash for record in complete}) == 2
    chosen = {(record.config_hash, record.parameters["training.learning_rate"]) for record in complete}
    assert len(chosen) == len({record.validation_loss for record in complete}) == 4


def test_known_costs_propose_architectures_with_settings(searches: Searches, tmp_path: Path) -> None:
    nuisance = {"learning_rate": {"float": {"low": 1e-3, "high": 1e-1, "log": True}}}
    run = run_search(declare(searches, nuisance, trials=7), tmp_path)
    assert len({str(record.parameters) for record in trained(run)}) == 7
    again = run_search(declare(searches, nuisance, trials=7), tmp_path / "again")
    assert points(run) == points(again)


@pytest.mark.parametrize(
    ("nuisance", "told"),
    [
        ({"learning_rates": {"choice": RATES}}, "did you mean `learning_rate`"),
        (
            {"learning_rate": 0.1},
            r"`learning_rate` needs a domain, such as \{choice: \[1e-3, 3e-3\]\}, got 0.1",
        ),
        ({"learning_rate": {"choice": [-1.0]}}, "greater than 0"),
        ({"warmup_fraction": {"float": {"low": 0.5, "high": 1.5}}}, "less than 1"),
    ],
)
def test_what_is_no_setting_is_told(searches: Searches, nuisance: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        declare(searches, nuisance)
