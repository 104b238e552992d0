from pathlib import Path

import pandas as pd
import pytest
from report_runs import make_failure, make_record, make_run, mixed_records

from experiments.labels import chosen_values, name_rows
from experiments.record import Status
from experiments.tables import curves_table, summary_table, trials_table, write_tables


def test_one_row_a_record_with_what_was_chosen(tmp_path: Path) -> None:
    run = make_run(tmp_path, mixed_records())
    for source in (run, tmp_path, str(tmp_path), run.load_records()):
        table = trials_table(source)
        assert table["trial"].tolist() == [0, 1, 2, 3, 4, 5]
        assert table["parameters.emb_dim"].tolist() == [128, 96, 64, 128, 512, 256]
        assert table["parameters.attention.kind"].isna().tolist() == [False] * 4 + [True] * 2
        assert table.loc[0, "train_flops"] == 4e12
        assert table.loc[4, "reason"] == "breaks params <= 1000000"
        assert not {"config", "curve", "parameters"} & set(table)


def test_dtypes_do_not_depend_on_what_was_recorded() -> None:
    full, empty = trials_table([make_record(0)]), trials_table([])
    failed = trials_table([make_failure(0, Status.FAILED, "no reason")])
    assert list(full) == list(empty) == list(failed)
    assert full.dtypes.equals(empty.dtypes)
    assert full.dtypes.equals(failed.dtypes)
    assert curves_table([make_record(0)]).dtypes.equals(curves_table([]).dtypes)
    assert summary_table([make_record(0)]).dtypes.equals(summary_table([]).dtypes)
    assert full["params"].dtype == "Int64"
    assert full["on_front"].dtype == bool


def test_the_experiment_says_what_the_front_is_about(tmp_path: Path) -> None:
    records = [make_record(0, 3.0, 10), make_record(1, 2.5, 20)]
    run = make_run(tmp_path, records, objectives=["train_flops"])
    assert trials_table(run)["on_front"].tolist() == [True, False]
    assert trials_table(run, ["validation_loss"])["on_front"].tolist() == [False, True]
    with pytest.raises(ValueError, match="did you mean `validation_loss`"):
        trials_table(run, ["validation_los"])


def test_training_flops_beyond_64_bits_are_kept() -> None:
    assert trials_table([make_record(0, flops=10**23)]).loc[0, "train_flops"] == 1e23


def test_chosen_values_of_several_kinds_become_text() -> None:
    records = [
        make_record(0, parameters={"window": None, "lr": 0.001, "tied": True}),
        make_record(1, parameters={"window": 64, "lr": 1, "tied": False}),
        make_record(2, parameters={"window": {"kind": "local"}}),
    ]
    table = trials_table(records)
    assert table["parameters.window"].tolist() == ["null", "64", '{"kind": "local"}']
    assert table["parameters.lr"].dtype == "Float64"
    assert table["parameters.tied"].dtype == "boolean"
    assert chosen_values(table)[0] == "window=null lr=0.001 tied=True"


def test_curves_are_long() -> None:
    table = curves_table(mixed_records())
    assert len(table) == 4 * 5
    assert table[table["trial"] == 2]["validation_loss"].tolist() == pytest.approx([7.2, 6.2, 5.2, 4.2, 3.2])
    assert table["train_loss"].isna()[0]


def test_a_summary_has_means_and_deviations_over_seeds() -> None:
    records = [
        make_record(0, 3.0, seed=1, memory_bytes=100),
        make_record(0, 3.2, seed=2, memory_bytes=300),
        make_record(1, 2.0, 2 * 10**12, seed=1),
        make_failure(1, Status.DIVERGED, "NaN", seed=2),
        make_record(2, 3.1, status=Status.DUPLICATE, config_hash="hash-0"),
    ]
    summary = summary_table(records)
    assert summary["trial"].tolist() == [1, 0]
    assert summary["n_seeds"].tolist() == [1, 2]
    assert summary["validation_loss"].tolist() == pytest.approx([2.0, 3.1])
    assert summary["validation_loss_std"].isna()[0]
    assert summary.loc[1, "validation_loss_std"] == pytest.approx(0.1 * 2**0.5)
    assert summary.loc[1, "memory_bytes"] == 200
    assert summary["on_front"].tolist() == [True, True]
    assert summary_table(records, ["tokens_per_second"])["trial"].tolist() == [0, 1]


def test_rows_are_called_by_variant_or_trial() -> None:
    assert name_rows(trials_table([make_record(7)])) == ["variant-7"]
    assert name_rows(trials_table([make_record(7, parameters={"n_layers": 2})])) == ["trial 7"]
    twins = [make_record(1, variant="nano"), make_record(2, variant="nano")]
    assert name_rows(trials_table(twins)) == ["nano (trial 1)", "nano (trial 2)"]


@pytest.mark.parametrize(
    "records", [[], mixed_records(), [make_failure(0, Status.FAILED, "x")]], ids=["empty", "mixed", "failed"]
)
def test_written_tables_read_back(tmp_path: Path, records: list) -> None:  # type: ignore[type-arg]
    run = make_run(tmp_path, records)
    assert [path.name for path in write_tables(run)] == ["trials.parquet", "trials.csv", "curves.parquet"]
    trials = pd.read_parquet(tmp_path / "trials.parquet")
    assert list(trials) == list(trials_table(run)) == list(pd.read_csv(tmp_path / "trials.csv"))
    pd.testing.assert_frame_equal(trials, trials_table(run), check_dtype=False)
    assert trials["memory_bytes"].dtype == "Int64"
    assert len(pd.read_parquet(tmp_path / "curves.parquet")) == len(curves_table(run))


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", " =1"])
def test_a_spreadsheet_finds_no_formula(tmp_path: Path, formula: str) -> None:
    record = make_record(-1, variant=formula, reason=formula, parameters={"path": formula})
    write_tables(make_run(tmp_path, [record]))
    row = pd.read_csv(tmp_path / "trials.csv").iloc[0]
    assert row["variant"] == row["reason"] == row["parameters.path"] == f"'{formula}"
    assert row["trial"] == -1
    assert pd.read_parquet(tmp_path / "trials.parquet").loc[0, "variant"] == formula


def test_passwords_do_not_reach_tables() -> None:
    record = make_failure(0, Status.FAILED, "cannot reach postgresql://me:secret@host/db")
    assert trials_table([record]).loc[0, "reason"] == "cannot reach postgresql://me:***@host/db"
