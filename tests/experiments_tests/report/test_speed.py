from pathlib import Path
from typing import Any

import pytest
from report_runs import make_failure, make_record, make_run, mixed_records

from experiments.record import Status, TrialRecord
from experiments.report import render_report
from experiments.report.build import build_report
from experiments.report.speed import speed_remarks, speed_rows
from experiments.report.speed_figure import REST, draw_times, time_bars
from experiments.speed import CUDA_NAMES, find_published, speed_fields
from experiments.tables import summary_table, trials_table
from gpt_zoo.cost.roofline import Device
from registry.devices import list_devices

MEANS = {
    "device": "cpu",
    "threads": 2,
    "precision": "bfloat16",
    "attention_backend": "fused",
    "compile": "off",
    "optimizer": "adamw",
    "cuda_graphs": "off",
    "loss_chunks": 1,
}
CLOCK = {"data": 0.5, "forward": 10.0, "backward": 20.0, "optimizer": 5.0, "evaluation": 4.5}


def device(**changes: Any) -> Device:
    values = {
        "name": "this",
        "label": "made up",
        "memory_bytes": 1e9,
        "bandwidth_bytes_per_second": 1e9,
        "float32_flops_per_second": 2e11,
        "bfloat16_flops_per_second": 4e11,
        "source": "made up",
    }
    return Device.model_validate({**values, **changes})


def timed(trial: int, **changes: Any) -> TrialRecord:
    """4 TFLOP in 40 s of steps and a loop of 50 s, on a device of 0.4 TFLOP/s."""
    told = speed_fields(4 * 10**12, 40.0, CLOCK, 50.0, "bfloat16", device(), None)
    return make_record(trial, 3.0, 4 * 10**12, **{**MEANS, **told, "seconds": 40.0, **changes})


def test_utilisation_by_hand() -> None:
    told = speed_fields(
        4 * 10**12, 40.0, CLOCK, 50.0, "bfloat16_master", device(), find_published("NVIDIA L4")
    )
    assert told["model_flops_per_second"] == 1e11
    assert told["peak_flops_per_second"] == 4e11
    assert told["mfu"] == 0.25
    assert told["mfu_published"] == pytest.approx(100 / 121_000)  # 121 TFLOP/s says the data sheet
    shares = [told[f"{phase}_share"] for phase in CLOCK]
    assert shares == pytest.approx([0.01, 0.2, 0.4, 0.1, 0.09])


def test_products_in_float32_are_held_against_their_own_peak() -> None:
    told = speed_fields(4 * 10**12, 40.0, {}, 50.0, "float32", device(), None)
    assert told["mfu"] == 0.5
    assert told["mfu_published"] is told["forward_share"] is None


def test_nothing_spent_has_no_speed() -> None:
    told = speed_fields(0, 0.0, {}, 0.0, "float32", device(), device())
    assert {name for name, value in told.items() if value is not None} == {"peak_flops_per_second"}


def test_a_device_is_known_by_its_whole_name_only() -> None:
    peaks = {"NVIDIA H100 80GB HBM3": 989.4e12, "NVIDIA H100 PCIe": 756e12, "NVIDIA A100-SXM4-40GB": 312e12}
    for name, peak in peaks.items():
        published = find_published(name)
        assert published is not None
        assert published.bfloat16_flops_per_second == peak
    others = ("NVIDIA H100 NVL", "NVIDIA H100 80GB HBM3 MIG 1g.10gb", "NVIDIA GeForce RTX 4090 D", "")
    assert [find_published(name) for name in others] == [None] * len(others)
    assert set(CUDA_NAMES.values()) <= set(list_devices())


def test_records_of_before_still_load() -> None:
    new = {"epochs", "mfu", "threads", "compile", "wall_seconds", "tracked_memory_bytes", "forward_share"}
    old = make_record(0).model_dump(mode="json", exclude=new)
    assert TrialRecord.model_validate(old) == make_record(0)


def test_tables_hold_what_was_measured() -> None:
    trials = trials_table([timed(0, epochs=0.5), make_record(1, 2.0)])
    assert trials["mfu"].tolist()[0] == 0.25
    assert trials["threads"].dtype == "Int64"
    assert trials["compile"].isna().tolist() == [False, True]
    seeds = [timed(0, mfu=0.25), timed(0, seed=2, mfu=0.35)]
    assert summary_table(seeds)["mfu"].tolist() == pytest.approx([0.3])


def test_the_fastest_comes_first_with_its_shares() -> None:
    records = [timed(0), timed(1, tokens_per_second=120.0, mfu=None), make_record(2)]
    table = speed_rows(summary_table(records))
    heads = [column.title for column in table.columns]
    assert heads == ["variant", "tokens/s", "FLOP/s", "MFU", *CLOCK, REST]
    first, second = ([cell.text for cell in row] for row in table.rows)
    assert first[:4] == ["variant-1", "120", "100 GFLOP/s", "–"]
    assert second == [
        "variant-0",
        "80",
        "100 GFLOP/s",
        "25.0%",
        "1.0%",
        "20.0%",
        "40.0%",
        "10.0%",
        "9.0%",
        "20.0%",
    ]


def test_pieces_of_a_bar_follow_each_other_to_the_whole() -> None:
    bars = time_bars(summary_table([timed(0), make_record(1)]))
    assert bars["name"].unique().tolist() == ["variant-0"]
    assert bars["phase"].tolist() == [*CLOCK, REST]
    assert bars["start"].tolist() == pytest.approx([0, 0.01, 0.21, 0.61, 0.71, 0.8])
    assert (bars["start"] + bars["share"]).iloc[-1] == pytest.approx(1)


def test_a_phase_that_was_not_clocked_is_no_part_of_the_picture() -> None:
    told = speed_fields(10**12, 10.0, {"backward": 6.0, "optimizer": 3.0}, 10.0, "float32", None, None)
    bars = time_bars(summary_table([timed(0, **told)]))
    assert bars["phase"].tolist() == ["backward", "optimizer", REST]
    (picture,) = draw_times(bars)
    assert picture.description.endswith("variant-0: backward 60%, optimizer 30%, other 10%")
    assert "forward" not in picture.svg


def test_unmeasured_machines_are_told_the_way_out() -> None:
    measured, not_measured = summary_table([timed(0)]), summary_table([timed(0, mfu=None)])
    assert not any("gpt-zoo doctor" in remark for remark in speed_remarks(measured))
    assert any("gpt-zoo doctor" in remark for remark in speed_remarks(not_measured))


def test_the_report_has_the_section_where_speed_was_recorded(tmp_path: Path) -> None:
    records = [timed(0), timed(1, compile="regional"), make_failure(2, Status.FAILED, "no reason")]
    run = make_run(tmp_path / "new", records)
    html, markdown = (path.read_text() for path in render_report(run))
    assert 'id="speed"' in html
    assert "25.0%" in html
    assert "## Speed" in markdown
    assert (run.path / "figures" / "speed.svg").exists()
    (means,) = [facts for facts in build_report(run).setup if facts.heading == "as it was trained"]
    assert dict(means.pairs)["compile"] == "off, regional"
    assert dict(means.pairs)["threads"] == "2"
    old = make_run(tmp_path / "old", mixed_records())
    html, markdown = (path.read_text() for path in render_report(old))
    assert 'href="#speed"' not in html
    assert "## Speed" not in markdown
    assert all(facts.heading != "as it was trained" for facts in build_report(old).setup)
