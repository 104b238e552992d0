"""The real command, on a shape so small that a turn takes milliseconds."""

import json
import math
import os
import subprocess
import sys

import pytest

VARIANT = """\
name: dwarf
vocab_size: 256
context_length: 16
emb_dim: 16
n_heads: 2
n_layers: 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    (folder / "dwarf.yaml").write_text(VARIANT)
    (folder / "text").mkdir()
    for number in range(20):
        (folder / "text" / f"{number}.txt").write_text(f"{number} bottles of beer on the wall. " * 50)
    return folder


def gpt_zoo(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-P", "-m", "experiments.cli.app", "bench", *arguments],
        cwd=folder,
        env={**os.environ, "GPT_ZOO_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=400,
    )


QUICK = [
    "./dwarf.yaml",
    "--batch-size",
    "2",
    "--rounds",
    "2",
    "--steps",
    "3",
    "--threads",
    "1",
    "--data",
    "text",
]


@pytest.fixture(scope="module")
def compared(folder):
    """What `--format json` tells of a comparison with transformers."""
    pytest.importorskip("transformers", reason="is what the comparison is with")
    answer = gpt_zoo(
        folder, *QUICK, "--against", "transformers", "--settings", "float32,as-it-comes",
        "--format", "json", "--out", "speed.md",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_all_take_part_in_all_rounds(compared):
    (shape,) = compared["shapes"]
    contestants = shape["contestants"]
    assert [(one["library"], one["setting"]) for one in contestants] == [
        ("gpt-zoo", "float32"),
        ("transformers", "as it comes"),
    ]
    for one in contestants:
        assert one["failed"] is None
        assert list(one["rounds"]) == ["0", "1"]
        assert 0 < one["share_of_products"]["median"] < 1
        assert one["memory_bytes"] > 0
        # Six steps after warming up: still near to what drawn weights guess, and learning.
        assert 3 < one["loss"] < 1.02 * math.log(256)
    assert len(shape["products_flops_per_second"]["float32"]) == 2


def test_ratios_follow_from_the_rounds_told(compared):
    ours, *peers = compared["shapes"][0]["contestants"]
    for peer in peers:
        ratios = [ours["rounds"][number] / peer["rounds"][number] for number in ("0", "1")]
        told = peer["our_best_is_faster_by"]
        assert (told["low"], told["high"]) == (min(ratios), max(ratios))
        assert told["median"] == pytest.approx(sum(ratios) / 2)
    leanest = min(peer["memory_bytes"] for peer in peers)
    assert ours["memory_over_leanest_peer"] == ours["memory_bytes"] / leanest


def test_the_peer_has_the_biases_that_the_note_tells(compared, folder):
    ours, peer = compared["shapes"][0]["contestants"]
    assert peer["params"] - ours["params"] == 3 * 16
    written = (folder / "speed.md").read_text()
    assert "transformers: query, key and value have biases" in written
    assert f"| transformers | as it comes | {peer['params']:,} |" in " ".join(written.split())


def test_without_peers_it_is_held_against_the_limit_alone(folder):
    answer = gpt_zoo(folder, *QUICK, "--against", "none", "--settings", "float32")
    assert answer.returncode == 0, answer.stderr
    assert "transformers" not in answer.stdout.split("\n\n")[0]
    assert "Large products reach" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--against", "litgtp"], "no peer is called `litgtp`; did you mean `litgpt`?"),
        (["--settings", "autocats"], "no setting is called `autocats`; did you mean `autocast`?"),
        (["dwarf.yaml"], "the batch of `dwarf.yaml` must be given; try --batch-size 8"),
        (
            ["--out", "nowhere/speed.md"],
            "the folder of --out must exist, got nowhere/speed.md; create nowhere",
        ),
    ],
)
def test_what_is_wrong_is_told_at_once(folder, arguments, told):
    answer = gpt_zoo(folder, *arguments)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"error: {told}\n"
