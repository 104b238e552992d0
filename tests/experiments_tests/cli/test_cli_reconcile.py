"""Three counts of FLOPs, as the command shows them."""

import csv
import io
import json

import pytest

# Its formula forgets the way back from the hidden size.
WRONG = """\
from typing import ClassVar, Literal

import registry
from gpt_zoo.config.component import Macs
from gpt_zoo.config.feed_forward.plain import FeedForwardConfig


class Forgetful(FeedForwardConfig):
    kind: Literal["forgetful"] = "forgetful"
    module: ClassVar[str] = "gpt_zoo.layers.feed_forward:FeedForward"
    source: ClassVar[str] = "a test"

    def macs(self, model, time):
        return Macs(linear=super().macs(model, time).linear // 2)


registry.register_kind("feed_forward", Forgetful)
"""
GPT2_FORWARD = 2 * (1024 * (12 * 12 * 768**2 + 50257 * 768) + 12 * 2 * 1024**2 * 768)


def test_counts_that_agree_end_with_0(gpt_zoo):
    answer = gpt_zoo("cost", "gpt2", "modern-nano", "--reconcile")
    assert answer.returncode == 0
    assert answer.stdout.count(f"{GPT2_FORWARD:,}") == 3
    assert answer.stdout.count(f"{2 * GPT2_FORWARD:,}") == 2  # fvcore traces no backward pass
    assert (
        "gpt2: operators that fvcore leaves out: add 26, embedding 2, gelu 12, layer_norm 25" in answer.stdout
    )
    assert "differ" not in answer.stdout


def test_modules_are_shown_each(gpt_zoo):
    answer = gpt_zoo("cost", "gpt2", "--reconcile", "--by", "module", "--format", "json")
    (gpt2,) = json.loads(answer.stdout)
    modules = {module["module"]: module for module in gpt2["modules"]}
    head = 2 * 1024 * 50257 * 768
    assert modules["head"]["forward"] == {"closed_form": head, "fvcore": head, "torch": head}
    assert modules["head"]["backward"] == {"closed_form": 2 * head, "fvcore": None, "torch": 2 * head}
    assert modules["blocks.0-11.attention.query"]["count"] == 12
    table = gpt_zoo("cost", "gpt2", "--reconcile", "--by", "module").stdout
    assert "  blocks.0-11  12 x" in table
    assert f"{head:,}" in table


def test_a_mixture_says_how_its_tokens_are_counted(gpt_zoo):
    answer = gpt_zoo("cost", "mixtral-8x7b", "--reconcile", "--context-length", "64")
    assert answer.returncode == 0
    assert (
        "mixtral-8x7b: blocks.0-31.feed_forward: which experts read a token depends on the data"
        in answer.stdout
    )


def test_every_format_tells_the_same(gpt_zoo):
    rows = list(csv.DictReader(io.StringIO(gpt_zoo("cost", "gpt2", "--reconcile", "--format", "csv").stdout)))
    assert [(row["pass"], int(row["torch"])) for row in rows] == [
        ("forward", GPT2_FORWARD),
        ("backward", 2 * GPT2_FORWARD),
    ]
    markdown = gpt_zoo("cost", "gpt-nano", "--reconcile", "--by", "module", "--format", "markdown").stdout
    assert markdown.startswith("| module")
    assert "| blocks.0-3.attention.query  4 x" in markdown


def test_counts_that_differ_are_named_and_end_with_1(gpt_zoo, tmp_path):
    (tmp_path / "forgetful.py").write_text(WRONG)
    (tmp_path / "wrong.yaml").write_text("extends: gpt-nano\nfeed_forward: {kind: forgetful}\n")
    answer = gpt_zoo("cost", "wrong.yaml", "gpt-nano", "--reconcile", "--plugin", "forgetful")
    assert answer.returncode == 1
    assert "differ in the sum, blocks.0-3, blocks.0-3.feed_forward" in answer.stdout
    assert "Traceback" not in answer.stderr
    answer = gpt_zoo("cost", "wrong.yaml", "--reconcile", "--by", "module", "--plugin", "forgetful")
    assert answer.returncode == 1
    verdicts = {
        line.split()[0]: line.split()[-1] for line in answer.stdout.splitlines() if " forward " in line
    }
    assert (verdicts["feed_forward"], verdicts["expand"], verdicts["attention"]) == (
        "differ",
        "agree",
        "agree",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gpt2", "--by", "module"], "give --reconcile too"),
        (["gpt2", "--reconcile", "--batch-size", "2"], "one sequence is counted, got --batch-size 2"),
        (["gpt2", "--reconcile", "--context-length", "2048"], "got 2048 tokens for a context_length of 1024"),
    ],
)
def test_a_mistake_is_told_in_a_line_and_ends_with_1(gpt_zoo, arguments, told):
    answer = gpt_zoo("cost", *arguments)
    assert answer.returncode == 1
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
