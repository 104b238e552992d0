"""The rows of a model's summary: what a person would count, adding up to the whole."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import given, settings

import registry
from gpt_zoo import GPTConfig, GPTModel, model_cost
from gpt_zoo.measure.condensed import format_indices
from gpt_zoo.measure.summary import ModuleRow, summarize


def rows_of(config: GPTConfig, **options) -> dict[str, ModuleRow]:
    return {row.name: row for row in summarize(config, **options)}


def test_gpt2_by_hand() -> None:
    rows = rows_of(registry.load_variant("gpt2").config)
    width, time, vocabulary = 768, 1024, 50257
    assert rows[""].params == 124_439_808
    assert rows["blocks.0-11"].count == 12
    assert rows["blocks.0-11"].params == 12 * width**2 + 13 * width
    attention = rows["blocks.0-11.attention"]
    assert attention == ModuleRow(
        name="blocks.0-11.attention",
        label="attention",
        depth=2,
        count=12,
        kind="MultiHeadAttention",
        shape=(1, time, width),
        params=4 * width**2 + 4 * width,
        tied=False,
        flops_forward=2 * (4 * time * width**2 + 2 * time**2 * width),
    )
    assert rows["blocks.0-11.feed_forward.expand"].shape == (1, time, 4 * width)
    head = rows["head"]
    assert (head.params, head.tied, head.shape) == (0, True, (1, time, vocabulary))
    assert head.flops_forward == 2 * time * width * vocabulary
    assert "dropout" not in " ".join(rows)


def check_sums(config: GPTConfig) -> None:
    """What is directly inside of the model adds up to it, once each row is taken as often as it stands."""
    whole, *inside = summarize(config, depth=1)
    cost = model_cost(config)
    assert (whole.params, whole.flops_forward) == (cost.params, cost.flops_forward)
    assert sum(row.count * row.params for row in inside) == cost.params
    assert sum(row.count * row.flops_forward for row in inside) == cost.flops_forward
    assert sum(row.count for row in inside if row.label.startswith("blocks.")) == config.n_layers


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_the_rows_of_every_kind_add_up(slot: str, kind: str) -> None:
    check_sums(config_with(slot, kind))


@given(gpt_configs())
@settings(max_examples=15)
def test_the_rows_of_every_model_add_up(config: GPTConfig) -> None:
    check_sums(config)


def test_layers_that_differ_have_rows_of_their_own() -> None:
    config = config_with("attention", "multi_head", n_layers=7, layers=[{"attention": {"window": 5}}, {}])
    assert [name for name in rows_of(config, depth=1) if name.startswith("blocks")] == [
        "blocks.0,2,..,6",
        "blocks.1,3,5",
    ]
    config = config_with("attention", "multi_head", n_layers=6, single_layers=[{"at": [0, 3], "n_heads": 2}])
    rows = rows_of(config)
    assert [(name, rows[name].count) for name in rows if name.count(".") == 1 and "blocks" in name] == [
        ("blocks.0,3", 2),
        ("blocks.1-2,4-5", 4),
    ]


def test_lists_inside_of_lists_are_counted_together() -> None:
    rows = rows_of(config_with("feed_forward", "mixture_of_experts", n_layers=3, context_length=20))
    expert = rows["blocks.0-2.feed_forward.experts.0-4.expand"]  # 40 choices, 8 for each of 5 experts
    assert (expert.count, expert.shape) == (15, (8, 11))


def test_depth_and_length_are_what_was_asked_for() -> None:
    config = config_with("norm", "rms_norm")
    assert [row.name for row in summarize(config, depth=0)] == [""]
    assert {row.depth for row in summarize(config, depth=2)} == {0, 1, 2}
    assert all(
        name in dict(GPTModel(config).named_modules()) for name in rows_of(config) if "blocks" not in name
    )
    whole = summarize(config, context_length=5, depth=0)[0]
    assert whole.shape == (1, 5, config.vocab_size)
    assert whole.flops_forward == model_cost(config, 5).flops_forward


def test_nothing_that_was_drawn_is_disturbed() -> None:
    before = torch.get_rng_state()
    summarize(config_with("norm", "rms_norm"))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("indices", "text"),
    [
        ([3], "3"),
        ([0, 1], "0-1"),
        (list(range(12)), "0-11"),
        ([0, 2], "0,2"),
        ([1, 3, 5], "1,3,5"),
        ([0, 2, 4, 6], "0,2,..,6"),
        ([0, 3, 4, 5, 9], "0,3-5,9"),
    ],
)
def test_indices_are_written_short(indices: list[int], text: str) -> None:
    assert format_indices(indices) == text


STATUS = Path("/proc/self/status")


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the peak of a process is read from /proc")
def test_the_largest_gpt2_takes_no_memory_of_its_own() -> None:
    code = (
        "import pathlib, re, registry; from gpt_zoo.measure.summary import summarize;"
        "print(summarize(registry.load_variant('gpt2-xl').config)[0].params);"
        # Unlike `getrusage`, it does not count what the process was before it became this one.
        f"print(re.search(r'VmHWM:\\s+(\\d+) kB', pathlib.Path('{STATUS}').read_text())[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    params, peak = map(int, done.stdout.split())
    assert params == 1_557_611_200  # 6.2 GB in float32
    assert peak * 1024 < 2**30
