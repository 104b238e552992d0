"""`cost --memory` and `cost --fit`."""

import csv
import io
import json
import re
import subprocess
import sys

import pytest

PARAMS = 124_439_808
"""Of gpt2."""


def rows_of(gpt_zoo, *arguments):
    answer = gpt_zoo("cost", *arguments, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_memory_has_a_column_for_each_part(gpt_zoo):
    options = ["--batch-size", "2", "--context-length", "512", "--optimizer", "sgd_momentum"]
    (row,) = rows_of(gpt_zoo, "gpt2", "--memory", *options, "--precision", "bfloat16_pure")
    told = [row[f"training_{part}_bytes"] for part in ("weights", "gradients", "optimizer")]
    assert told == [2 * PARAMS, 2 * PARAMS, 2 * PARAMS]
    assert row["inference_weights_bytes"] == 2 * PARAMS
    assert row["inference_kv_cache_bytes"] == 2 * 512 * 12 * 2 * 768 * 2
    # The loss keeps the probabilities in float32.
    assert row["training_head_bytes"] >= 2 * 512 * 50257 * 4
    table = gpt_zoo("cost", "gpt2", "gpt2-medium", "--memory", *options).stdout
    heads = ("weights", "gradients", "optimizer", "attention", "feed-forward", "norms", "logits, loss")
    assert all(head in table.splitlines()[2] for head in (*heads, "transient", "peak"))
    assert "KV cache" in table.split("Inference: ")[1].splitlines()[2]
    assert "2 sequences of 512 tokens" in table
    assert "float32 with sgd_momentum" in table


def test_options_of_a_step_change_what_it_needs(gpt_zoo):
    def peak(*options):
        return rows_of(gpt_zoo, "gpt-nano", "--memory", "--batch-size", "8", *options)[0][
            "training_peak_bytes"
        ]

    usual = peak()
    assert peak("--recompute") < usual
    assert peak("--precision", "bfloat16_pure") < usual
    assert peak("--optimizer", "sgd") < usual
    assert peak("--written-out-attention") > usual
    assert peak("--kernels", "cpu", "--set", "drop_rate=0.1") > peak("--set", "drop_rate=0.1") > usual


def test_inference_has_4_bytes_in_float32(gpt_zoo):
    (row,) = rows_of(gpt_zoo, "gpt2", "--memory", "--precision", "float32")
    assert row["inference_weights_bytes"] == 4 * PARAMS


def test_memory_is_divided_over_devices(gpt_zoo):
    rows = rows_of(gpt_zoo, "gpt2", "--memory", "--devices", "4", "--batch-size", "6")
    assert [row["sharding"] for row in rows] == ["replicated", "zero_1", "zero_2", "zero_3"]
    assert {row["device_batch_size"] for row in rows} == {2}
    assert [row["training_optimizer_bytes"] for row in rows] == [8 * PARAMS, *[2 * PARAMS] * 3]
    assert [row["training_weights_bytes"] for row in rows] == [*[4 * PARAMS] * 3, PARAMS]
    assert [row["training_sent_bytes"] for row in rows] == [*[6 * PARAMS] * 3, 9 * PARAMS]
    table = gpt_zoo("cost", "gpt2", "--memory", "--devices", "4").stdout
    training, inference = table.split("Inference: ")
    assert "sent a step" in training
    assert training.count("ZeRO-") == 3
    assert inference.split("Training in")[0].count("ZeRO-") == 1


def test_what_fits_is_what_memory_says(gpt_zoo):
    # 12 GiB: 8e9 bytes of weights, gradients and state would not do, those of gpt2 do.
    rows = rows_of(gpt_zoo, "gpt2", "--fit", "12GiB", "--context-length", "768")
    assert [(row["use"], row["asked"]) for row in rows] == [
        (use, asked) for use in ("training", "inference") for asked in ("batch_size", "context_length")
    ]
    for row, use in ((rows[0], "training"), (rows[2], "inference")):
        assert row["context_length"] == 768
        for batch, bytes_ in (
            (row["batch_size"], row["peak_bytes"]),
            (row["batch_size"] + 1, row["next_bytes"]),
        ):
            options = ["--batch-size", str(batch), "--context-length", "768"]
            (memory,) = rows_of(gpt_zoo, "gpt2", "--memory", *options)
            assert memory[f"{use}_peak_bytes"] == bytes_
        assert row["peak_bytes"] <= 12 * 2**30 < row["next_bytes"]
    assert [rows[1]["context_length"], rows[1]["whole_context"], rows[1]["next_bytes"]] == [1024, True, None]
    table = gpt_zoo("cost", "gpt2", "--fit", "12GiB").stdout
    assert "1,024 (whole context)" in table
    assert "Into 12 GiB." in table


def test_where_nothing_fits_the_advice_helps(gpt_zoo):
    rows = rows_of(gpt_zoo, "llama-2-7b", "--fit", "80GiB")
    training = next(row for row in rows if row["use"] == "training" and row["asked"] == "batch_size")
    assert (training["batch_size"], training["next_bytes"]) == (0, None)
    # Float32 with AdamW: 16 bytes for each of 6,738,415,616 parameters.
    alone = f"{16 * 6_738_415_616 / 2**30:.1f} GiB"
    assert training["advice"].startswith(f"weights, gradients and optimizer state alone need {alone}; try ")
    options = re.split(r", ", training["advice"].partition("; try ")[2].replace(", or ", ", "))
    assert options == ["--precision bfloat16_pure", "--devices 4"]
    for option in options:
        found = rows_of(gpt_zoo, "llama-2-7b", "--fit", "80GiB", *option.split())
        assert max(row["batch_size"] for row in found if row["use"] == "training") >= 1
    halved = rows_of(gpt_zoo, "llama-2-7b", "--fit", "80GiB", "--devices", "2")
    assert not any(
        row["batch_size"] for row in halved if (row["use"], row["asked"]) == ("training", "batch_size")
    )
    assert "try a" not in gpt_zoo("cost", "gpt2", "--fit", "80GiB").stdout


def test_a_context_too_long_is_told_as_one(gpt_zoo):
    advice = [row["advice"] for row in rows_of(gpt_zoo, "gpt2", "--fit", "2.2GiB") if row["advice"]]
    assert len(advice) == 1
    longest = int(re.fullmatch(r".*--context-length (\d+).*", advice[0])[1])
    options = ["--fit", "2.2GiB", "--context-length"]
    assert rows_of(gpt_zoo, "gpt2", *options, str(longest))[0]["batch_size"] == 1
    assert rows_of(gpt_zoo, "gpt2", *options, str(longest + 1))[0]["batch_size"] == 0


def test_batches_of_devices_are_told_one_by_one_and_in_all(gpt_zoo):
    rows = rows_of(gpt_zoo, "gpt2", "--fit", "16GiB", "--devices", "8", "--batch-size", "16")
    batches = [row["batch_size"] for row in rows if (row["use"], row["asked"]) == ("training", "batch_size")]
    assert batches == sorted(batches)
    assert len(batches) == 4
    assert {row["batch_size"] for row in rows if row["asked"] == "context_length"} == {2}
    table = gpt_zoo("cost", "gpt2", "--fit", "16GiB", "--devices", "8").stdout
    assert f"{8 * batches[0]:,}" in table
    assert "in all" in table.splitlines()[0]


def test_rows_are_the_same_in_csv(gpt_zoo):
    for view in (["--memory"], ["--fit", "80GB", "--devices", "2"]):
        written = gpt_zoo("cost", "gpt2", *view, "--format", "csv").stdout
        read = list(csv.DictReader(io.StringIO(written)))
        for row, exact in zip(read, rows_of(gpt_zoo, "gpt2", *view), strict=True):
            assert row == {key: "" if value is None else str(value) for key, value in exact.items()}
        assert gpt_zoo("cost", "gpt2", *view, "--format", "markdown").stdout.count("|---") >= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--memory", "--fit", "80GiB"], "choose one of --memory, --fit"),
        (["--recompute"], "`--recompute` is for --memory or --fit; give --memory or --fit too"),
        (["--decode", "--devices", "2"], "`--devices` is for --memory or --fit"),
        (["--fit", "80"], "an amount of memory has a unit, got `80`; try 80GiB"),
        (["--fit", "80Gib"], "unknown unit `Gib` in `80Gib`; known are K, M,"),
        (["--fit", "much"], "an amount of memory looks like 80GiB or 512MiB, got `much`"),
        (["--fit", "1e999GiB"], "a finite number"),
        (["--memory", "--precision", "bfloat"], "no precision is called `bfloat`; did you mean `bfloat16`?"),
        (["--memory", "--optimizer", "adam"], "no optimizer is called `adam`; did you mean `adamw`?"),
        (["--fit", "80GiB", "--devices", "0"], "over at least 1 device, got 0; try 1"),
        (["--memory", "--batch-size", "0"], "must be at least 1, got 0; try 1"),
        (["--fit", "80GiB", "--batch-size", "0"], "must be at least 1, got 0; try 1"),
        (["--fit", "80GiB", "--context-length", "2000"], "for a context_length of 1024"),
    ],
)
def test_what_cannot_be_meant_is_told(gpt_zoo, options, message):
    answer = gpt_zoo("cost", "gpt2", *options)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert message in answer.stderr


@pytest.mark.parametrize("view", [["--memory"], ["--fit", "80GiB"]])
def test_memory_is_told_without_torch(view):
    code = (
        f"import sys; sys.argv = ['gpt-zoo', 'cost', 'gpt2', *{view}]\n"
        "from experiments.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print('loaded', [name for name in ('torch', 'pandas', 'optuna') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded []" in answer.stdout
