"""Whether a faster precision costs loss: trainings that differ in nothing else, seed by seed.

    python tests/benchmarks/precision_benchmark.py [--shapes tiny,small] [--seeds 5] [--out precision.md]

The same seed begins with the same weights and sees the same batches, so that its losses can be subtracted.
What is measured is kept in `--kept FILE`, a line a training: the same command goes on from there.
"""

import argparse
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import tabulate
import torch
from kept import kept_in

from experiments.data.config import DataConfig
from experiments.data.tokens import Tokens, load_tokens
from experiments.progress import Silent
from experiments.training.allocator import keep_freed_memory
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.loop import Training
from gpt_zoo.config.gpt import GPTConfig

SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {
        "config": {"context_length": 128, "emb_dim": 128, "n_heads": 4, "n_layers": 4},
        "training": {"batch_size": 16, "learning_rate": 2e-3},
        "steps": 600,
    },
    "small": {
        "config": {"context_length": 256, "emb_dim": 384, "n_heads": 6, "n_layers": 6},
        "training": {"batch_size": 8, "learning_rate": 1e-3},
        "steps": 120,
    },
}
REFERENCE = "float32"
OTHERS = ("bfloat16_master", "bfloat16")
T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for an interval of 95%, by the number of seeds."""


def train(shape: str, precision: str, seed: int, tokens: Tokens) -> float:
    """The validation loss at the end, in nats a token."""
    declared = SHAPES[shape]
    config = GPTConfig.model_validate(
        {"vocab_size": 256, "drop_rate": 0.0, "qkv_bias": False, **declared["config"]}
    )
    training = TrainingConfig(
        precision=precision,
        attention_backend="fused" if precision == REFERENCE else "written_out",
        compile="off",
        loss_chunks=1,
        evaluations=1,
        **declared["training"],
    )
    budget = BudgetConfig(steps=declared["steps"])
    done = Training(config, tokens, training, budget, seed, torch.device("cpu"))
    loss = done.run(Silent()).curve[-1].validation_loss
    assert loss is not None
    return loss


def compare(losses: dict[int, dict[str, float]], precision: str) -> list[str]:
    """A row: the mean loss, the mean difference with its interval, and the noise between seeds."""
    pairs = [kept[precision] - kept[REFERENCE] for kept in losses.values() if precision in kept]
    reference = [kept[REFERENCE] for kept in losses.values()]
    half = T_95[len(pairs)] * stdev(pairs) / len(pairs) ** 0.5
    return [
        precision,
        f"{fmean(kept[precision] for kept in losses.values()):.4f}",
        f"{fmean(pairs):+.4f} ± {half:.4f}",
        " ".join(f"{pair:+.4f}" for pair in pairs),
        f"{stdev(reference):.4f}",
    ]


def main() -> None:
    """Train what is not kept yet, print the table, write it if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shapes", default="tiny,small")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=Path("runs/precision.jsonl"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    data = {"corpus": {"kind": "stdlib"}, "tokenizer": {"kind": "bytes"}, "validation_bytes": 100_000}
    tokens = load_tokens(DataConfig.model_validate(data), Silent())
    measure = kept_in(options.kept)
    kept = {
        f"{shape} {precision} {seed}": measure(
            f"{shape} {precision} {seed}", partial(train, shape, precision, seed, tokens)
        )
        for shape in options.shapes.split(",")
        for seed in range(options.seeds)
        for precision in (REFERENCE, *OTHERS)
    }
    report(kept, options)


def report(kept: dict[str, float], options: argparse.Namespace) -> None:
    """The table, on the screen and in the file."""
    text = ""
    for shape in options.shapes.split(","):
        losses = {
            seed: {
                precision: kept[key]
                for precision in (REFERENCE, *OTHERS)
                if (key := f"{shape} {precision} {seed}") in kept
            }
            for seed in range(options.seeds)
        }
        heads = ["", "loss", "minus float32, 95%", "each seed", "between seeds, float32"]
        rows = [
            [REFERENCE, f"{fmean(one[REFERENCE] for one in losses.values()):.4f}", "", "", ""],
            *(compare(losses, precision) for precision in OTHERS),
        ]
        declared = SHAPES[shape]
        table = tabulate.tabulate(rows, heads, "github", disable_numparse=True)
        setting = f"{declared['config']}, {declared['training']}, {declared['steps']} steps"
        text += f"\n## {shape}\n\n{setting}\n\n{table}\n"
    text = (
        f"Validation loss in nats a byte on the source of Python's standard library, {options.seeds} seeds; "
        "float32 with fused attention, the others with attention written out. Between seeds: standard "
        f"deviation of float32. CPU, torch {torch.__version__}.\n{text}"
    )
    print(text)
    if options.out:
        options.out.write_text(f"# Precision\n\n`python tests/benchmarks/precision_benchmark.py`\n\n{text}")


if __name__ == "__main__":
    main()
