"""The best learning rate by width, under both parametrizations; how near a sweep by short trainings comes.

    python tests/benchmarks/learning_rate_benchmark.py [--seeds 1] [--steps 300] [--out learning_rate.md]

Every rate of a grid is trained with the whole budget. What is measured is kept in `--kept FILE`, a line a
training: the same command goes on from there.
"""

import argparse
import tempfile
from dataclasses import dataclass
from math import inf, log
from pathlib import Path
from statistics import fmean

import tabulate
import torch
from kept import kept_in

from experiments.data.config import DataConfig
from experiments.data.tokens import Tokens, load_tokens
from experiments.progress import Silent
from experiments.training.allocator import keep_freed_memory
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.learning_rate import rate_by_width
from experiments.training.loop import DivergedError, Training
from experiments.training.memory import MemoryMeter
from experiments.training.sweep import Short, best_rate, find_rate, losses_of
from experiments.tuning import resolve
from experiments.units import plural
from gpt_zoo.config.gpt import GPTConfig

WIDTHS = (32, 64, 128)
RATES = [rate_by_width(WIDTHS[-1]) * 2.0**power for power in range(-2, 5)]
CPU = torch.device("cpu")


def config_of(width: int) -> GPTConfig:
    return GPTConfig(vocab_size=256, context_length=64, emb_dim=width, n_heads=4, n_layers=2)


def training_of(parametrization: str, width: int, steps: int) -> TrainingConfig:
    declared = {
        "parametrization": parametrization,
        "base_width": WIDTHS[0],
        "batch_size": 8,
        "evaluations": 1,
    }
    return resolve(TrainingConfig.model_validate(declared), config_of(width), "cpu", None, steps)


def train(parametrization: str, width: int, rate: float, seed: int, steps: int, tokens: Tokens) -> float:
    """The validation loss at the end, in nats a byte."""
    declared = training_of(parametrization, width, steps).model_copy(update={"learning_rate": rate})
    training = Training(config_of(width), tokens, declared, BudgetConfig(steps=steps), seed, CPU)
    try:
        loss = training.run(Silent()).curve[-1].validation_loss
    except DivergedError:
        return inf
    assert loss is not None
    return loss


@dataclass(frozen=True)
class Swept:
    """A sweep beside the grid with the whole budget: rates and their losses.

    Args:
        found: What is best for the short trainings.
        taken: What is made of it for the long one, and the loss with that.
        tried: How many rates.
        share: Their cost, of the budget.
        grid: Loss by rate, with the same seed.
    """

    width: int
    seed: int
    found: float
    taken: tuple[float, float]
    tried: int
    share: float
    grid: dict[float, float]


def sweep(width: int, seed: int, steps: int, tokens: Tokens) -> list[float]:
    """The rate that short trainings find, what is taken, how many they tried, their share of the budget."""
    declared = training_of("standard", width, steps)
    short = Short(config_of(width), tokens, declared, BudgetConfig(steps=steps), seed, CPU, MemoryMeter(CPU))
    with tempfile.TemporaryDirectory() as folder:
        tried = find_rate(short, Path(folder) / "sweep.json", Silent())
    cost = sum(one.train_flops for one in tried)
    whole = Training(config_of(width), tokens, declared, BudgetConfig(steps=steps), seed, CPU).cost
    tokens_seen = steps * declared.tokens_per_step(config_of(width).context_length)
    found = best_rate(losses_of(tried))
    return [found, found * short.shift, float(len(tried)), cost / whole.flops_train(tokens_seen)]


def main() -> None:
    """Train what is not kept yet, print the tables, write them if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=Path("runs/learning_rate.jsonl"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    tokens = load_tokens(DataConfig(validation_bytes=30_000), Silent())
    measure, steps, seeds = kept_in(options.kept), options.steps, range(options.seeds)

    def loss(parametrization: str, width: int, rate: float, seed: int) -> float:
        same = "standard" if width == WIDTHS[0] else parametrization  # as a test holds
        value = measure(
            f"{same} {width} {rate:g} {seed} {steps}",
            lambda: train(same, width, rate, seed, steps, tokens),
        )
        assert isinstance(value, float)
        return value

    grid = {
        (parametrization, width): {
            rate: fmean(loss(parametrization, width, rate, seed) for seed in seeds) for rate in RATES
        }
        for parametrization in ("standard", "mup")
        for width in WIDTHS
    }
    swept = []
    for width in WIDTHS:
        for seed in seeds:
            numbers = measure(f"swept {width} {seed} {steps}", lambda: sweep(width, seed, steps, tokens))  # noqa: B023
            assert isinstance(numbers, list)
            found, taken, tried, share = numbers
            own = {rate: loss("standard", width, rate, seed) for rate in RATES}
            at = loss("standard", width, taken, seed)
            swept.append(Swept(width, seed, found, (taken, at), int(tried), share, own))
    report(grid, swept, options)


def row_of(one: Swept) -> list[str]:
    """A sweep, and how far above the best of the grid the losses with several rates are."""
    best, (taken, loss) = best_rate(one.grid), one.taken

    def above(rate: float) -> str:
        nearest = min(one.grid, key=lambda known: abs(log(known / rate)))
        return f"{one.grid[nearest] - one.grid[best]:+.3f}"

    shown = [f"{one.width}", f"{one.seed}", *(f"{rate:.2g}" for rate in (one.found, taken, best))]
    shown += [f"{one.grid[best]:.3f}", f"{loss - one.grid[best]:+.3f}", above(one.found)]
    return [*shown, above(rate_by_width(one.width)), above(1e-3), f"{one.tried}", f"{one.share:.0%}"]


def report(
    grid: dict[tuple[str, int], dict[float, float]],
    swept: list[Swept],
    options: argparse.Namespace,
) -> None:
    """The tables, on the screen and in the file."""
    rows = []
    for (parametrization, width), losses in grid.items():
        best = best_rate(losses)
        cells = [f"**{loss:.3f}**" if rate == best else f"{loss:.3f}" for rate, loss in losses.items()]
        rows.append([parametrization, width, f"{best:.2g}", *cells])
    heads = ["", "width", "best", *(f"{rate:.2g}" for rate in RATES)]
    losses = tabulate.tabulate(rows, heads, "github", disable_numparse=True)
    rows = [row_of(one) for one in swept]
    heads = ["width", "seed", "best of the short", "taken", "best of the grid", "its loss"]
    heads += ["above it: taken", "short", "rule", "1e-3", "rates tried", "of the budget"]
    sweeps = tabulate.tabulate(rows, heads, "github", disable_numparse=True)
    text = (
        f"Validation loss in nats a byte on the source of Python's standard library after {options.steps} "
        f"steps of 8 x 64 bytes, by learning rate; 2 layers, 4 heads, AdamW, cosine. "
        f"{plural(options.seeds, 'seed')}. muP's base width is {WIDTHS[0]}, at which both are the same. "
        f"CPU, torch {torch.__version__}.\n\n## Learning rate by width\n\n{losses}\n\n"
        "## Sweeps by short trainings\n\n"
        "`learning_rate: auto` under the standard parametrization, against the grid with the whole budget: "
        "how far above the best of that are the losses with the rate that is taken, with that of the short "
        "trainings, with the rule's, and with 1e-3, each but the first as the nearest of the grid."
        f"\n\n{sweeps}\n"
    )
    print(text)
    if options.out:
        options.out.write_text(
            f"# Learning rates\n\n`python tests/benchmarks/learning_rate_benchmark.py`\n\n{text}"
        )


if __name__ == "__main__":
    main()
