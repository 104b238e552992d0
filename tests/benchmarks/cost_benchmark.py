"""How many variants are costed in a second, and what the command takes for very large ones.

    python tests/benchmarks/cost_benchmark.py [--seconds 2] [--runs 7] [--out cost.md]

Rates are variants in a second of processor time of one core. The command is a process of its own, start-up
included; its times are medians of the runs, its memory the largest of them (Linux only).
"""

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import tabulate

from gpt_zoo import GPT_CONFIG_124M, GPTConfig, model_cost
from registry import list_variants, load_variant

GPT3 = """\
vocab_size: 50257
context_length: 2048
emb_dim: 12288
n_heads: 96
n_layers: 96
qkv_bias: true
tie_embeddings: true
"""
COMMAND = """\
import re, time
from experiments.cli.app import app
try:
    app()
except SystemExit as end:
    assert not end.code
print(time.process_time(), re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""
WANTED = 5_000


def variants_per_second(work: Callable[[], object], variants: int, seconds: float) -> float:
    """Variants in a second of processor time, where each call of `work` does so many."""
    work()
    calls, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        work()
        calls += 1
    return calls * variants / (time.process_time() - start)


def rate_rows(seconds: float) -> list[list[str]]:
    """Rates of costing alone, and of validating a plain dict first."""
    configs = {name: load_variant(name).config for name in list_variants()}
    layered = [config for config in configs.values() if config.layers or config.single_layers]
    slowest = min(configs, key=lambda name: variants_per_second(_whole([configs[name]]), 1, seconds / 20))
    mixes = {
        "`GPT_CONFIG_124M`": [GPTConfig.model_validate(GPT_CONFIG_124M)],
        f"all {len(configs)} of the catalog": list(configs.values()),
        f"its {len(layered)} whose layers differ": layered,
        f"its slowest, {slowest}": [configs[slowest]],
    }
    rows = []
    for name, mix in mixes.items():
        alone = variants_per_second(lambda mix=mix: [model_cost(config) for config in mix], len(mix), seconds)
        whole = variants_per_second(_whole(mix), len(mix), seconds)
        rows.append([name, f"{alone:,.0f}", f"{whole:,.0f}", "yes" if whole >= WANTED else "no"])
    return rows


def _whole(mix: Sequence[GPTConfig]) -> Callable[[], object]:
    written = [config.model_dump() for config in mix]
    return lambda: [model_cost(GPTConfig.model_validate(data)) for data in written]


def command_rows(runs: int) -> list[list[str]]:
    """Seconds and memory of `gpt-zoo cost`."""
    with tempfile.TemporaryDirectory() as folder:
        gpt3 = Path(folder) / "gpt3-175b.yaml"
        gpt3.write_text(GPT3)
        asked = {
            "GPT-3 175B": [str(gpt3)],
            "GPT-3 175B, `--conventions`": [str(gpt3), "--conventions", "--tokens", "300e9"],
            "bloom-176b": ["bloom-176b"],
            "llama-3.1-405b": ["llama-3.1-405b"],
        }
        rows = []
        for name, arguments in asked.items():
            runs_measured = [measure_command(["cost", *arguments]) for _ in range(runs)]
            walls, processor, peaks = (sorted(column) for column in zip(*runs_measured, strict=True))
            spread = f"{statistics.median(walls):.2f} ({walls[0]:.2f} to {walls[-1]:.2f})"
            rows.append([name, spread, f"{statistics.median(processor):.2f}", f"{peaks[-1] / 1024:.0f}"])
    return rows


def measure_command(arguments: list[str]) -> tuple[float, float, int]:
    """Seconds of a process, those that a processor spent on it, and the KiB of its peak."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], capture_output=True, text=True, check=True
    )
    *_, processor, peak = done.stdout.split()
    return time.perf_counter() - start, float(processor), int(peak)


def main() -> None:
    """Measure, print the tables, write them if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    heads = ["variants in a second", "`model_cost`", "validated too", f"{WANTED:,} or more"]
    rates = tabulate.tabulate(rate_rows(options.seconds), heads, "github", disable_numparse=True)
    heads = ["`gpt-zoo cost`", "seconds", "of a processor", "peak MiB"]
    command = tabulate.tabulate(command_rows(options.runs), heads, "github", disable_numparse=True)
    text = (
        f"One core of {platform.machine()}, Python {platform.python_version()}, others at work on it. "
        f"Validated too: from a dict of every field, with `GPTConfig.model_validate`.\n\n{rates}\n\n"
        f"The whole command in a process of its own, median of {options.runs} with the fastest and the "
        f"slowest.\n\n{command}\n"
    )
    print(text)
    if options.out:
        options.out.write_text(f"# Costs\n\n`python tests/benchmarks/cost_benchmark.py`\n\n{text}")


if __name__ == "__main__":
    main()
