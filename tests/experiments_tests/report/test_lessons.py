"""What is said about each field, against laws that are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_runs import make_failure, make_record, make_run

from experiments.lessons import lessons_table
from experiments.record import Status, TrialRecord
from experiments.run_folder import RunFolder
from experiments.search.dependence import LossModel, fit_losses, scale_flops, with_flops
from experiments.search.lessons import learn, write_lessons

WIDTHS, DEPTHS = [32, 48, 64, 96, 128], [2, 3, 4, 6, 8]


def make_study(count: int, seed: int, *, rotary: float = 0.0, equal_flops: bool = False) -> list[TrialRecord]:
    """Trainings whose loss falls with training FLOPs, and is changed by rotary positions; seeds add 0.01."""
    generator = np.random.default_rng(seed)
    records = []
    for trial in range(count):
        width, depth = int(generator.choice(WIDTHS)), int(generator.choice(DEPTHS))
        position = str(generator.choice(["learned", "rotary"]))
        flops = 10**12 if equal_flops else 10**6 * width**2 * depth * (1 + 16 / width)
        loss = 1.5 + 2.0 * (flops / 10**10) ** -0.12 + (rotary if position == "rotary" else 0.0)
        chosen = {"emb_dim": width, "n_layers": depth, "position.kind": position}
        loss += 0.01 * float(generator.normal())
        records.append(make_record(trial, loss, int(flops), parameters=chosen))
    return records


def effects(run: RunFolder) -> dict[str, pd.DataFrame]:
    write_lessons(run)
    table = lessons_table(run)
    return {str(name): rows.set_index("value") for name, rows in table.groupby("field", sort=False)}


def test_what_only_buys_flops_is_flat(tmp_path: Path) -> None:
    records = make_study(60, 1)
    found = effects(make_run(tmp_path, records))
    plain = pd.Series([one.validation_loss for one in records], dtype=float)
    plain = plain.groupby([one.parameters["emb_dim"] for one in records]).mean()
    assert plain[32] - plain[128] > 0.3  # as it looks where FLOPs are not held
    for rows in found.values():
        assert ((rows["effect_low"] <= 0) & (rows["effect_high"] >= 0)).all()
    assert found["emb_dim"]["effect"].abs().max() < 0.05
    assert found["n_layers"]["effect"].abs().max() < 0.05
    assert found["position.kind"]["effect"].abs().max() < 0.01


def test_what_helps_at_equal_flops_is_found(tmp_path: Path) -> None:
    found = effects(make_run(tmp_path, make_study(60, 2, rotary=-0.2)))
    assert next(iter(found)) == "position.kind"  # what does most comes first
    learned, rotary = found["position.kind"].loc["learned"], found["position.kind"].loc["rotary"]
    assert rotary["effect"] - learned["effect"] == pytest.approx(-0.2, abs=0.015)
    assert rotary["effect_high"] < 0 < learned["effect_low"]
    for rows in (found["emb_dim"], found["n_layers"]):
        assert ((rows["effect_low"] <= 0) & (rows["effect_high"] >= 0)).all()


def test_effects_are_measured_from_the_usual_value(tmp_path: Path) -> None:
    for rows in effects(make_run(tmp_path, make_study(40, 3, rotary=-0.2))).values():
        assert rows["architectures"].sum() == 40
        assert float((rows["effect"] * rows["architectures"]).sum()) == pytest.approx(0.0, abs=1e-9)


def test_budgets_of_equal_flops_need_no_line(tmp_path: Path) -> None:
    run = make_run(tmp_path, make_study(40, 4, rotary=-0.2, equal_flops=True))
    rows = effects(run)["position.kind"]
    assert rows.loc["rotary", "effect"] - rows.loc["learned", "effect"] == pytest.approx(-0.2, abs=0.015)
    assert learn(run)["doubling"] is None


def test_twice_the_flops_are_told_beside_it(tmp_path: Path) -> None:
    told = learn(make_run(tmp_path, make_study(60, 1)))
    # The slope of the law, 2 ln 2 0.12 (flops / 10^10)^-0.12, is 0.12 at the dearest, 0.22 at the cheapest.
    assert -0.24 < told["doubling"] < -0.10
    assert told["explained"] > 0.95


def test_chance_is_not_taken_for_an_effect(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    records = [
        make_record(trial, 3 + 0.1 * float(generator.normal()), parameters={"emb_dim": WIDTHS[trial % 5]})
        for trial in range(50)
    ]
    told = learn(make_run(tmp_path, records))
    assert told["explained"] < 0.1
    for field in told["fields"]:
        assert all(value["low"] < 0.03 and value["high"] > -0.03 for value in field["values"])


def test_a_field_that_not_all_have_is_judged_among_those_that_do(tmp_path: Path) -> None:
    generator = np.random.default_rng(6)
    records = []
    for trial in range(40):
        heads = int(generator.choice([1, 2, 4]))
        grouped = trial % 2 == 0
        chosen: dict[str, Any] = {"attention": "grouped_query" if grouped else "multi_head"}
        if grouped:
            chosen["attention[grouped_query].n_kv_heads"] = heads
        loss = 3.0 + (0.1 * heads if grouped else 0.2) + 0.005 * float(generator.normal())
        records.append(make_record(trial, loss, parameters=chosen))
    found = effects(make_run(tmp_path, records))
    rows = found["attention[grouped_query].n_kv_heads"]
    assert rows["architectures"].sum() == 20
    assert rows.loc[4, "effect"] - rows.loc[1, "effect"] == pytest.approx(0.3, abs=0.03)
    # On average over the heads, 3.0 + 0.1 * 7 / 3 is 0.03 more than 3.2.
    kinds = found["attention"]["effect"]
    assert kinds["grouped_query"] - kinds["multi_head"] == pytest.approx(0.033, abs=0.03)


def test_null_is_a_value(tmp_path: Path) -> None:
    records = [
        make_record(trial, 3.0 + 0.1 * (trial % 2), parameters={"window": None if trial % 2 else 64})
        for trial in range(12)
    ]
    rows = effects(make_run(tmp_path, records))["window"]
    assert list(rows.index) == [64, "null"]
    assert rows.loc["null", "effect"] == pytest.approx(0.05, abs=0.01)


def test_layers_are_set_together(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    records = []
    for trial in range(30):
        heads = [int(generator.choice([2, 4])) for _ in range(3)]
        chosen = {f"layers[{layer}].n_heads": value for layer, value in enumerate(heads)}
        records.append(make_record(trial, 3.0 + 0.05 * sum(heads), parameters=chosen))
    ((name, rows),) = effects(make_run(tmp_path, records)).items()
    assert name == "layers[0].n_heads"
    assert rows.loc[4, "effect"] - rows.loc[2, "effect"] == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("records", "note"),
    [
        ([], "0 architectures trained to the end: it takes 8 to tell what a field does"),
        (make_study(7, 1), "7 architectures trained to the end: it takes 8 to tell what a field does"),
        ([make_failure(0, Status.DIVERGED, "NaN")] * 9, "0 architectures trained to the end"),
    ],
)
def test_few_tell_nothing_and_say_so(tmp_path: Path, records: list[TrialRecord], note: str) -> None:
    run = make_run(tmp_path, records)
    write_lessons(run)
    told = json.loads(run.lessons.read_text())
    assert told["note"].startswith(note)
    assert told["fields"] == []
    assert lessons_table(run).empty


def test_what_was_never_searched_has_no_lessons(tmp_path: Path) -> None:
    run = make_run(tmp_path, [make_record(trial, 3.0 + trial / 10, trial + 1) for trial in range(9)])
    assert lessons_table(run).empty
    assert learn(run)["fields"] == []


@pytest.fixture(scope="module")
def model() -> LossModel:
    generator = np.random.default_rng(8)
    chosen, flops = generator.uniform(size=(12, 2)), np.exp(generator.uniform(size=12))
    losses = 3 - np.log(flops) + 0.1 * chosen[:, 0] + 0.02 * generator.normal(size=12)
    return fit_losses(chosen, scale_flops(flops), losses)


def test_predictions_are_those_of_a_trend_without_a_prior(model: LossModel) -> None:
    # As the limit of a Gaussian process whose prior of the line is wide: the textbook's other form of it.
    kernel, scale = model.surrogate.kernel, model.surrogate.scale
    at = with_flops(np.array([[0.2, 0.7], [0.9, 0.1]]), np.array([0.3, 0.6]))
    wide = 1e6

    def covariance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        both: np.ndarray = kernel.between(one, other) + wide * (1 + np.outer(one[:, -1], other[:, -1]))
        return both

    own = covariance(model.features, model.features) + kernel.noise * np.eye(12)
    across = covariance(at, model.features)
    mean = scale * across @ np.linalg.solve(own, model.losses / scale)
    variance = scale**2 * (covariance(at, at) - across @ np.linalg.solve(own, across.T))
    found, known = model.average([(row[None], row[None, -1]) for row in at])
    assert found == pytest.approx(mean, abs=1e-4)
    assert known == pytest.approx(variance, abs=1e-4)
    together, _ = model.average([(at, at[:, -1])])
    assert together[0] == pytest.approx(found.mean())


def test_left_out_losses_are_foretold_as_without_them(model: LossModel) -> None:
    errors, usual = [], []
    for left in range(12):
        kept = np.arange(12) != left
        part = LossModel(model.features[kept], model.log_flops[kept], model.losses[kept], model.surrogate)
        mean, _ = part.average([(model.features[[left]], model.log_flops[[left]])])
        errors.append(mean[0] - model.losses[left])
        usual.append(model.losses[kept].mean() - model.losses[left])
    explained = 1 - np.square(errors).sum() / np.square(usual).sum()
    assert model.explained() == pytest.approx(explained, abs=1e-6)


def test_equal_losses_teach_nothing(tmp_path: Path) -> None:
    records = [make_record(trial, 3.0, parameters={"emb_dim": WIDTHS[trial % 5]}) for trial in range(9)]
    ((field,), note) = (learn(make_run(tmp_path, records))[name] for name in ("fields", "note"))
    assert note == ""
    assert [value["effect"] for value in field["values"]] == pytest.approx([0.0] * 5, abs=1e-6)
