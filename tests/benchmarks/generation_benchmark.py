"""How fast GPT-2 decodes at 1,000 tokens of context: with a cache, without, and beside transformers.

    python tests/benchmarks/generation_benchmark.py [--rounds 6] [--threads 2] [--out generation.md]

The same random weights in both libraries, on the CPU in float32, greedy. The contenders take turns, round by
round, so that a machine which others use too slows all of them alike; medians of the rounds and of their
ratios are shown.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tabulate
import torch
import transformers

from gpt_zoo import GPTModel, generate
from gpt_zoo.families import save_hub_model
from registry import load_variant

PROMPT, NEW, NEW_WITHOUT_CACHE = 984, 32, 4
"""Tokens: the context is 984 to 1,016 long while it is measured."""


def seconds_per_token(write: Callable[[int], torch.Tensor], new: int) -> tuple[float, float]:
    """Seconds of the prompt with its first token, and of each further token."""
    start = time.perf_counter()
    write(1)
    prompt = time.perf_counter() - start
    start = time.perf_counter()
    write(1 + new)
    return prompt, (time.perf_counter() - start - prompt) / new


def build_contenders(batch: int) -> dict[str, tuple[Callable[[int], torch.Tensor], int]]:
    """What writes, and how many tokens of it are timed."""
    torch.manual_seed(0)
    ours = GPTModel(load_variant("gpt2").config).eval()
    with tempfile.TemporaryDirectory() as folder:
        save_hub_model(ours, Path(folder))
        theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    ids = torch.randint(0, ours.config.vocab_size, (batch, PROMPT))
    mask = torch.ones_like(ids)

    def write_theirs(new: int) -> torch.Tensor:
        return theirs.generate(
            ids, attention_mask=mask, max_new_tokens=new, do_sample=False, eos_token_id=None, pad_token_id=0
        )

    def write_ours(new: int) -> torch.Tensor:
        return generate(ours, ids, new, temperature=0)

    if not torch.equal(write_ours(8), write_theirs(8)):
        raise SystemExit("the two libraries write different tokens: there is nothing to compare")
    return {
        "gpt-zoo": (write_ours, NEW),
        "transformers": (write_theirs, NEW),
        "gpt-zoo, no cache": (
            lambda new: generate(ours, ids, new, temperature=0, use_cache=False),
            NEW_WITHOUT_CACHE,
        ),
    }


def run(rounds: int, batch: int) -> list[list[str]]:
    """A row for each contender: its medians, and its ratios to ours, each taken within a round."""
    contenders = build_contenders(batch)
    for write, _ in contenders.values():
        write(2)  # warm up
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (write, new) in contenders.items():
            measured[name].append(seconds_per_token(write, new))
    rows = []
    for name, times in measured.items():
        ratios = sorted(own[1] / ours[1] for own, ours in zip(times, measured["gpt-zoo"], strict=True))
        prompt, token = (statistics.median(column) for column in zip(*times, strict=True))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        rows.append(
            [name, str(batch), f"{prompt:.3f}", f"{1000 * token:.1f}", f"{batch / token:.1f}", spread]
        )
    return rows


def main() -> None:
    """Measure, print the table, write it if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    heads = ["", "batch", "prompt s", "ms a token", "tokens/s", "time a token against gpt-zoo"]
    rows = [row for batch in options.batches for row in run(options.rounds, batch)]
    table = tabulate.tabulate(rows, heads, "github", disable_numparse=True)
    text = (
        f"GPT-2 (124,439,808 parameters, float32, random weights) behind a prompt of {PROMPT} tokens, "
        f"greedy; {options.rounds} rounds in turn, {options.threads} threads, {platform.machine()}, torch "
        f"{torch.__version__}, transformers {transformers.__version__}. Medians; of the ratios the smallest "
        f"and the largest too.\n\n{table}\n"
    )
    print(text)
    if options.out:
        options.out.write_text(f"# Decoding\n\n`python tests/benchmarks/generation_benchmark.py`\n\n{text}")


if __name__ == "__main__":
    main()
