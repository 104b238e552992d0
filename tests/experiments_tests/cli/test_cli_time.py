"""`cost --device`, `--measure` and `--decode`, and `doctor`."""

import csv
import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from experiments.costs.time import TimeRow
from experiments.costs.time_table import render_times
from experiments.doctor import examine, load_machine, measure_machine
from experiments.doctor_table import render_health

SMALL = ["gpt-nano", "--set", "context_length=32"]


@pytest.fixture
def measured(gpt_zoo, token_cache):
    """The machine as `doctor` measured it."""
    answer = gpt_zoo("doctor", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_times_are_estimated_for_devices(gpt_zoo):
    answer = gpt_zoo("cost", "llama-2-7b", "--device", "a100,h100", "--device", "l4", "--format", "json")
    rows = json.loads(answer.stdout)
    assert [(row["device"], row["phase"]) for row in rows] == [
        (device, phase) for device in ("a100", "h100", "l4") for phase in ("prefill", "decode", "training")
    ]
    assert {row["basis"] for row in rows} == {"estimated"}
    assert [row["bound"] for row in rows[:2]] == ["compute", "bandwidth"]
    # 13.5 GB of weights fit, and 16 bytes a parameter to train with AdamW do not.
    assert [row["fits"] for row in rows[:3]] == [True, True, False]
    table = gpt_zoo("cost", "llama-2-7b", "--device", "a100,h100").stdout
    assert "roofline" in table
    assert "measured here" not in table


def test_an_unknown_device_is_a_clear_error(gpt_zoo):
    answer = gpt_zoo("cost", "gpt2", "--device", "h10")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "error: no device is called `h10`; did you mean `h100`?\n"


def test_this_machine_must_have_been_measured(gpt_zoo, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # so many nobody has measured
    answer = gpt_zoo("cost", "gpt2", "--device", "this")
    assert answer.returncode == 1
    assert "not been measured with 3 threads" in answer.stderr
    assert "run `gpt-zoo doctor` once" in answer.stderr


def test_doctor_measures_once(gpt_zoo, measured, token_cache):
    (device,) = [
        device
        for device in measured["devices"]
        if "threads" in device["label"] or "thread" in device["label"]
    ]
    assert device["bandwidth_bytes_per_second"] > 1e8
    assert device["float32_flops_per_second"] > 1e8
    assert measured["health"]["threads_used"] == 1
    assert measured["health"]["cache"] == str(token_cache)
    assert json.loads(gpt_zoo("doctor", "--format", "json").stdout)["devices"] == measured["devices"]
    shown = gpt_zoo("doctor").stdout
    assert "measured here" in shown
    assert "GFLOP/s" in shown
    (kept,) = (token_cache / "machine").glob("*.json")
    kept.write_text("{damaged")
    again = gpt_zoo("doctor", "--format", "json")
    assert again.returncode == 0
    assert json.loads(kept.read_text())["devices"] == json.loads(again.stdout)["devices"]


def test_doctor_tells_of_a_cache_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GPT_ZOO_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("gpt_zoo.measure.machine.ARRAY_BYTES", 2**20)
    monkeypatch.setattr("gpt_zoo.measure.machine.LARGEST_PRODUCT", 256)
    devices = measure_machine()
    assert load_machine() == []
    told = render_health(examine(), devices, "table")
    assert f"! the cache {tmp_path / 'file'} cannot be written; set GPT_ZOO_CACHE to" in told


def test_measurements_stand_below_estimates_and_apart(gpt_zoo, measured):
    answer = gpt_zoo("cost", *SMALL, "--device", "this,h100", "--measure", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert [row["basis"] for row in rows] == ["estimated"] * 6 + ["measured here"] * 3
    for row in rows[6:]:
        assert (row["precision"], row["steps"], row["threads"], row["bound"]) == ("float32", "7", "1", "")
        assert float(row["least_seconds"]) <= float(row["seconds"]) <= float(row["most_seconds"])
        estimate = next(one for one in rows if (one["device"], one["phase"]) == ("this", row["phase"]))
        share = float(estimate["seconds"]) / float(row["seconds"])
        assert float(row["share_of_peak"]) == pytest.approx(share)
    table = gpt_zoo("cost", *SMALL, "--measure", "--precision", "bfloat16").stdout
    assert "after 2 that were not counted, 1 thread" in table
    assert "estimated" not in table.partition("B = 1")[0]


@pytest.mark.parametrize(("share", "told"), [(0.99, False), (1.01, True), (None, False)])
def test_steps_faster_than_the_peak_are_told(share: float | None, told: bool):
    row = TimeRow(
        "measured here", "x", "this", "float32", "decode", 1, 9, 0.5, 2.0, 0.4, 0.6, 7, 1, share_of_peak=share
    )
    assert ("gpt-zoo doctor --again" in render_times([row], "table")) == told


def test_a_model_too_large_to_measure_is_refused_before_it_is_built(gpt_zoo):
    answer = gpt_zoo("cost", "llama-2-70b", "--measure")
    assert answer.returncode == 1
    assert "a step must fit into free memory" in answer.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "h100", "--decode"], "choose one of"),
        (["--figure", "a.svg"], "give --decode too"),
        (["--device", "h100", "--precision", "float16"], "in float32 or bfloat16, got precision `float16`"),
        (["--device", "h100", "--batch-size", "0"], "must be at least 1"),
        (["--decode", "--context-length", "2000"], "must fit the context"),
    ],
)
def test_options_that_cannot_be_meant(gpt_zoo, options, message):
    answer = gpt_zoo("cost", "gpt2", *options)
    assert answer.returncode == 1
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr


def test_decoding_tells_where_variants_cross(gpt_zoo, tmp_path):
    variants = ["mistral-7b-v0.1", "deepseek-v2-lite"]
    told = json.loads(gpt_zoo("cost", *variants, "--decode", "--format", "json").stdout)
    mistral = [row for row in told["curves"] if row["variant"] == "mistral-7b-v0.1"]
    assert [row["context_length"] for row in mistral] == [2**power for power in range(16)]
    # 32 layers of 8 keys and 8 values of 128 numbers, for 4,096 tokens at most; 27 layers of 512 + 64.
    window, token = 4096 * 32 * 2 * 8 * 128 * 2, 27 * 576 * 2
    assert mistral[-1]["kv_cache_bytes"] == window
    crossing = next(one for one in told["crossings"] if one["quantity"] == "kv_cache_bytes")
    assert crossing["context_length"] == window // token + 1
    assert (crossing["dearer"], crossing["cheaper"]) == ("deepseek-v2-lite", "mistral-7b-v0.1")
    assert crossing["value"] == crossing["context_length"] * token
    answer = gpt_zoo("cost", *variants, "--decode", "--figure", "decode.svg")
    assert f"from a context of {window // token + 1} on, deepseek-v2-lite costs more" in answer.stdout
    drawn = ElementTree.parse(tmp_path / "decode.svg").getroot()
    texts = {element.text for element in drawn.iter() if element.tag.endswith("text")}
    assert {*variants, str(window // token + 1), "KV cache", "bytes read a token"} <= texts


def test_decoding_as_csv_and_of_one_variant(gpt_zoo):
    rows = list(csv.DictReader(io.StringIO(gpt_zoo("cost", "gpt2", "--decode", "--format", "csv").stdout)))
    assert rows[-1]["context_length"] == "1024"
    assert rows[-1]["kv_cache_bytes"] == str(1024 * 12 * 2 * 768 * 2)
    assert "cross" not in gpt_zoo("cost", "gpt2", "--decode").stdout


@pytest.mark.parametrize("arguments", [["--device", "h100"], ["--decode"]])
def test_estimates_need_no_torch(arguments: list[str], tmp_path: Path):
    code = (
        f"import sys; sys.argv = ['gpt-zoo', 'cost', 'gpt2', *{arguments}]\n"
        "from experiments.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print('loaded', [name for name in ('torch', 'pandas', 'optuna') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded []" in answer.stdout
