"""The table of real trainings that is kept in the repository, and the script which makes it."""

import importlib.util
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.prediction import foresee
from gpt_zoo.config.canonical import hash_config
from gpt_zoo.model import GPTModel
from registry.variant import load_variant

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SPREAD = slice(None, None, 37)
"""Some rows of every part."""


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


exhaustive = load_script("exhaustive_table")
TRIALS = pd.read_parquet(exhaustive.FOLDER / "trials.parquet")
CURVES = pd.read_parquet(exhaustive.FOLDER / "curves.parquet")
PARTS = pytest.mark.parametrize(
    "part", exhaustive.PARTS, ids=lambda part: f"{part.name}-{part.learning_rate}"
)


def rows_of(part):
    return TRIALS[(TRIALS["part"] == part.name) & (TRIALS["learning_rate"] == part.learning_rate)]


def rebuild(row):
    """The config of a row from its chosen values alone."""
    chosen = {name: row[name] for name in exhaustive.CHOICES}
    chosen["position.kind"] = chosen.pop("position")
    return load_variant("gpt-nano", chosen).config


@PARTS
def test_every_point_of_the_declared_space_is_there_once_with_every_seed(part):
    experiment = part.experiment
    configs = [
        experiment.space.variant(point, "point").config.model_dump(mode="json")
        for point in experiment.space.enumerate()
    ]
    declared = sorted((hash_config(config), seed) for config in configs for seed in experiment.config.seeds)
    rows = rows_of(part)
    assert sorted(zip(rows["config_hash"], rows["seed"], strict=True)) == declared
    assert len(set(declared)) == len(declared)


def test_the_rows_are_those_of_the_parts():
    assert len(TRIALS) == sum(len(rows_of(part)) for part in exhaustive.PARTS)
    assert (TRIALS["status"] == "complete").all()
    assert not TRIALS.isna().any().any()
    assert not CURVES.isna().any().any()


def test_costs_are_those_that_the_project_computes_now():
    for part in exhaustive.PARTS:
        experiment = part.experiment
        for row in rows_of(part).iloc[SPREAD].to_dict("records"):
            config = rebuild(row)
            assert hash_config(config.model_dump(mode="json")) == row["config_hash"]
            known = foresee(config, experiment.config.training, experiment.config.budget, "cpu").record
            assert {name: row[name] for name in exhaustive.COUNTS} == {
                name: known[name] for name in exhaustive.COUNTS
            }


def test_parameters_are_those_of_the_built_models():
    for row in TRIALS.iloc[SPREAD].to_dict("records"):
        built = sum(parameter.numel() for parameter in GPTModel(rebuild(row)).parameters())
        assert row["params"] == built


def test_the_smallest_costs_what_one_counts_by_hand():
    learned = TRIALS[TRIALS["position"] == "learned"]
    row = learned.loc[learned["train_flops"].idxmin()]
    width, context, hidden = 24, 32, 48
    attention = 4 * (width * width + width)
    feed_forward = 2 * width * hidden + hidden + width
    assert row["params"] == (256 + context) * width + attention + feed_forward + 3 * 2 * width
    # A multiply-accumulate each weight and token, logits as well; each pair of positions twice, all heads.
    macs = context * (4 * width * width + 2 * width * hidden + 256 * width) + 2 * context**2 * width
    assert row["flops_forward"] == 2 * macs
    assert row["tokens"] == 782 * 8 * context  # the fewest steps of 8 sequences that see 200,000
    assert row["train_flops"] == 3 * 2 * macs * row["tokens"] // context
    assert row["kv_cache_bytes"] == 2 * width * context * 2  # keys and values of one layer, in two bytes


def test_curves_rise_in_tokens_and_end_where_the_row_is():
    ends = CURVES.groupby(exhaustive.TRAINING, observed=True)
    assert len(ends) == len(TRIALS)
    assert (ends.size() == 16).all()
    assert (ends["step"].diff().dropna() > 0).all()
    joined = TRIALS.merge(ends.last().reset_index(), on=exhaustive.TRAINING, suffixes=("", "_end"))
    assert len(joined) == len(TRIALS)
    for name in ("tokens", "train_flops", "validation_loss"):
        assert (joined[name] == joined[f"{name}_end"]).all(), name


def test_bits_per_byte_are_the_loss_of_bytes_in_base_two():
    # Of two held-out files with 15,363 bytes, the end of the first is predicted too.
    ratio = TRIALS["bits_per_byte"] * math.log(2) / TRIALS["validation_loss"]
    assert np.allclose(ratio, 15_364 / 15_363, rtol=1e-6)


def test_the_same_training_in_two_parts_has_the_same_loss():
    keys = ["config_hash", "learning_rate", "seed"]
    both = TRIALS[TRIALS["part"] == "architectures"].merge(
        TRIALS[TRIALS["part"] == "learning_rates"], on=keys
    )
    assert len(both) == 24
    assert (both["validation_loss_x"] == both["validation_loss_y"]).all()


def test_losses_tell_architectures_apart_and_costs_spread():
    architectures = TRIALS[TRIALS["part"] == "architectures"]
    noise, freedom = exhaustive.seed_noise(TRIALS[TRIALS["part"] != "learning_rates"])
    assert freedom == 72
    assert architectures["validation_loss"].std() > 3 * noise
    assert architectures["train_flops"].max() > 30 * architectures["train_flops"].min()
    assert architectures["validation_loss"].max() < math.log(256) / 2  # all have learned


def test_noise_is_pooled_by_degrees_of_freedom():
    groups = [("a", 1.0), ("a", 3.0), ("b", 2.0), ("b", 2.0), ("b", 2.0), ("alone", 9.0)]
    trials = pd.DataFrame(groups, columns=["config_hash", "validation_loss"]).assign(learning_rate=0.1)
    # Squares of deviations add up to 2 in `a` and 0 in `b`, over 1 + 2 degrees of freedom.
    assert exhaustive.seed_noise(trials) == (pytest.approx(math.sqrt(2 / 3)), 3)


def test_it_reads_as_a_table_for_searches():
    table = load_script("search_tables").read_exhaustive(exhaustive.FOLDER)
    architectures = TRIALS[TRIALS["part"] == "architectures"]
    assert table.losses.tolist() == architectures["validation_loss"].astype(float).tolist()
    assert list(table.chosen) == list(exhaustive.CHOICES)
    assert len(table.chosen.drop_duplicates()) == 288
    assert len(np.unique(table.features, axis=0)) == 288
    assert np.isfinite(table.features).all()
    for cost in table.costs:
        scaled = table.scaled(cost)
        assert (scaled.min(), scaled.max()) == (0.0, 1.0)
    assert np.corrcoef(table.scaled("params")[:, 0], table.scaled("train FLOPs")[:, 0])[0, 1] > 0.9


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in exhaustive.FOLDER.glob("*.parquet")) < 500_000


def test_unfinished_runs_are_told_in_a_line(tmp_path):
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "exhaustive_table.py", "--only-write", "--out", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"{tmp_path}/architectures-0.003 must hold 288 trainings, got 0; try it without --only-write"
    ]


TINY = """\
space:
  extends: gpt-micro
  emb_dim: {choice: [8, 16]}
  context_length: 16
  feed_forward: {hidden_multiple: 2}
data: {corpus: {kind: text, paths: text.txt}, validation_bytes: 200}
training: {batch_size: 2, evaluations: 2, threads: 1, device: cpu}
budget: {steps: 4}
seeds: [0, 1]
search: {sampler: grid}
"""


@pytest.mark.slow
def test_it_trains_once_and_collects(tmp_path, monkeypatch):
    monkeypatch.setenv("GPT_ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(exhaustive, "FOLDER", tmp_path)
    monkeypatch.setattr(exhaustive, "PARTS", (exhaustive.Part("tiny", 2e-3),))
    (tmp_path / "text.txt").write_text("".join(f"{number} bottles of beer.\n" * 30 for number in range(200)))
    (tmp_path / "tiny.yaml").write_text(TINY)
    exhaustive.train(tmp_path / "runs")
    exhaustive.train(tmp_path / "runs")  # nothing is left to train
    trials, curves = exhaustive.collect(tmp_path / "runs")
    assert trials[["emb_dim", "seed"]].to_numpy().tolist() == [[8, 0], [8, 1], [16, 0], [16, 1]]
    assert (trials["learning_rate"] == 2e-3).all()
    assert trials["tokens"].tolist() == [4 * 2 * 16] * 4
    assert curves["step"].tolist() == [2, 4] * 4
    assert curves["validation_loss"].tolist()[1::2] == trials["validation_loss"].tolist()
