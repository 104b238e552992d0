"""What a trial costs beside its steps, what assembling costs, and how many tiny trials an hour there are.

    python tests/benchmarks/trial_benchmark.py [--rounds 6] [--out trials.md]

Each pair is measured in turns, in one run. Trials are real ones: a comparison in a run folder, each training
in a process of its own, on the source of Python's standard library.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.nn import functional as F

from experiments import run_comparison
from experiments.record import TrialRecord
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.attention.attend import attend_fused
from gpt_zoo.layers.block import TransformerBlock

TINY: dict[str, Any] = {
    "vocab_size": 256,
    "context_length": 128,
    "emb_dim": 128,
    "n_heads": 4,
    "n_layers": 4,
    "drop_rate": 0.0,
    "qkv_bias": True,
    "activation": "gelu_tanh",
}
BATCH, TRIAL_STEPS = 16, 150


class ByHand(nn.Module):
    """The block of GPT-2 as one would write it for a single model."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.other_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.expand, self.shrink = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """x + attention(norm(x)), then y + mlp(norm(y))."""
        batch, time, width = x.shape
        normed = self.norm(x)
        parts = (linear(normed) for linear in (self.query, self.key, self.value))
        query, key, value = (p.view(batch, time, self.heads, -1).transpose(1, 2) for p in parts)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, time, width))
        return x + self.shrink(F.gelu(self.expand(self.other_norm(x)), approximate="tanh"))


def compare_blocks(rounds: int) -> list[list[str]]:
    """Rows: the stack from the config beside the one by hand, forward and backward."""
    rows = []
    for name, width, heads, layers, batch, context in (
        ("tiny", 128, 4, 4, 16, 128),
        ("small", 384, 6, 6, 8, 256),
    ):
        config = GPTConfig.model_validate({**TINY, "emb_dim": width, "n_heads": heads, "n_layers": layers})
        ours = nn.Sequential(*(TransformerBlock(config.block, config) for _ in range(layers)))
        for block in ours:
            block.attention.attend = attend_fused
        theirs = nn.Sequential(*(ByHand(width, heads) for _ in range(layers)))
        x = torch.randn(batch, context, width)

        def step(model: nn.Module, x: Tensor = x) -> None:
            model(x).sum().backward()
            model.zero_grad()

        times = in_turns({"ours": partial(step, ours), "theirs": partial(step, theirs)}, 5 * rounds)
        ratios = [one / other for one, other in zip(times["ours"], times["theirs"], strict=True)]
        rows.append(
            [name, *(f"{1000 * median(times[who]):.1f} ms" for who in ("ours", "theirs")), spread(ratios)]
        )
    return rows


def in_turns(work: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each, one after the other, after two turns that warm up."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for number in range(rounds + 2):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            if number >= 2:
                times[name].append(time.perf_counter() - start)
    return times


def spread(ratios: list[float]) -> str:
    """The median, with the smallest and the largest."""
    return f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def run_trials(seeds: int, budget: dict[str, Any], **settings: Any) -> tuple[float, list[TrialRecord]]:
    """Seconds that a comparison took as a whole, and its records."""
    experiment = {
        "name": "trials",
        "variants": [{"name": "tiny", **TINY}],
        "data": {"corpus": {"kind": "stdlib"}, "tokenizer": {"kind": "bytes"}, "validation_bytes": 20_000},
        "training": {"batch_size": BATCH, "evaluations": 1, **settings.pop("training", {})},
        "budget": budget,
        "seeds": list(range(seeds)),
        **settings,
    }
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = run_comparison(experiment, folder)
        return time.perf_counter() - start, run.load_records()


def measure_overhead() -> str:
    """What trials of ten seconds take beside their steps, by what three more of them add to a comparison."""
    run_trials(1, {"steps": 1})  # reads the text and measures the machine, which only the first run does
    few, _ = run_trials(1, {"seconds": 10})
    many, records = run_trials(4, {"seconds": 10})
    steps = sum(record.seconds or 0 for record in records) / len(records)
    evaluation = median((record.evaluation_share or 0) * (record.wall_seconds or 0) for record in records)
    each = (many - few) / 3 - steps
    build = median(record.build_seconds or 0 for record in records)
    return (
        f"A trial of {steps:.2f} s of steps takes {each:.3f} s more ({each / steps:.1%}): {build:.3f} s "
        f"before its first step, {evaluation:.3f} s of evaluation, the rest to watch memory in one step, to "
        f"record and to start the next. Without the evaluation it is {(each - evaluation) / steps:.1%}."
    )


def time_transformers(trials: int) -> float:
    """Seconds in which one process trains GPT-2 of transformers so often, with two threads, in float32."""
    done = subprocess.run(
        [sys.executable, __file__, "--transformers", str(trials)], capture_output=True, text=True, check=True
    )
    seconds: float = json.loads(done.stdout.splitlines()[-1])
    return seconds


def train_transformers(trials: int) -> float:
    """The same, in this process; imports are not counted."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.set_num_threads(2)
    sizes = {"n_positions": 128, "n_embd": 128, "n_layer": 4, "n_head": 4, "vocab_size": 256}
    dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    start = time.perf_counter()
    for _ in range(trials):
        model = GPT2LMHeadModel(
            GPT2Config(**sizes, **dropout, attn_implementation="sdpa", tie_word_embeddings=False)
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for _ in range(TRIAL_STEPS):
            windows = torch.randint(256, (BATCH, 129))
            logits = model(windows[:, :-1], use_cache=False).logits
            F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return time.perf_counter() - start


def compare_trials_an_hour(rounds: int, trials: int = 4) -> list[list[str]]:
    """Rows: all that a comparison does, twice at once or one after the other, beside transformers' steps."""
    ways = {
        "transformers, 1 process, 2 threads": lambda: time_transformers(trials),
        "parallel: 1, 2 threads": lambda: _added(trials, 1),
        "parallel: 2, 1 thread each": lambda: _added(trials, 2),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            seconds[name].append(run())
    base = seconds["transformers, 1 process, 2 threads"]
    return [
        [
            name,
            f"{3600 * trials / median(times):,.0f}",
            spread([one / other for one, other in zip(base, times, strict=True)]),
        ]
        for name, times in seconds.items()
    ]


def _added(trials: int, parallel: int) -> float:
    """Seconds of so many trials beside those which the first ones of a comparison take to start all up."""
    settings = {"parallel": parallel, "training": {"threads": 2 // parallel}}
    few, _ = run_trials(parallel, {"steps": TRIAL_STEPS}, **settings)
    many, _ = run_trials(parallel + trials, {"steps": TRIAL_STEPS}, **settings)
    return max(many - few, math.ulp(1.0))


def main() -> None:
    """Measure, print, write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--transformers", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.transformers:
        print(json.dumps(train_transformers(options.transformers)))
        return
    blocks = tabulate(
        compare_blocks(options.rounds),
        ["layers", "from the config", "by hand", "ratio"],
        "github",
        disable_numparse=True,
    )
    print(blocks, flush=True)
    overhead = measure_overhead()
    print(overhead, flush=True)
    hour = tabulate(
        compare_trials_an_hour(options.rounds),
        ["", "trials an hour", "times transformers"],
        "github",
        disable_numparse=True,
    )
    print(hour)
    if options.out:
        options.out.write_text(
            "# Trials\n\n`python tests/benchmarks/trial_benchmark.py`\n\n"
            f"CPU, {torch.get_num_threads()} threads, torch {torch.__version__}. Medians of {options.rounds} "
            "rounds in turns; in brackets the smallest and the largest ratio.\n\n"
            f"## A stack of `TransformerBlock` beside the same by hand, forward and backward\n\n{blocks}\n\n"
            f"## Beside the steps\n\n{overhead}\n\n"
            f"## Tiny trials an hour\n\n{TRIAL_STEPS} steps of {BATCH} sequences each, 4 layers of 128. Ours "
            "are whole trials, with evaluation, record and storage; transformers' are the steps alone, on "
            f"random tokens.\n\n{hour}\n"
        )


if __name__ == "__main__":
    main()
