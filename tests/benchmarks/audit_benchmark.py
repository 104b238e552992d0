"""How long the table of 100,000 points takes: a space in which many points share costs, one in which none
does, and one whose layers differ.

    python tests/benchmarks/audit_benchmark.py > audit.md

Beside it the way point by point, on a few hundred points, for comparison. Processor time of one core.
"""

import platform
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from experiments.prediction import predict_memory
from experiments.training.config import TrainingConfig
from gpt_zoo import GPTConfig, model_cost
from gpt_zoo.config.canonical import canonical, hash_config
from registry import DeclarationError
from registry.costing.points import choose_points
from registry.costing.table import costs, space_table
from registry.space import SearchSpace, resolve_space

POINTS = 100_000
COMPARED = 400
WIDTHS = {"int": {"low": 32, "high": 512, "step": 32}}
ATTENTION = {
    "choice": [
        {"kind": "multi_head", "window": {"choice": [None, 64]}},
        {"kind": "grouped_query", "n_kv_heads": {"choice": [1, 2, 3]}},
    ]
}
SPACES: dict[str, dict[str, Any]] = {
    "some share costs": {
        "extends": "gpt-micro",
        "emb_dim": WIDTHS,
        "n_heads": {"choice": [2, 4, 6, 8]},
        "n_layers": {"int": {"low": 1, "high": 12}},
        "attention": ATTENTION,
        "activation": {"choice": ["gelu", "relu", "silu"]},
        "norm": {"choice": [{"kind": "layer_norm"}, {"kind": "rms_norm"}]},
        "feed_forward": {"choice": [{"kind": "plain"}, {"kind": "gated"}]},
        "drop_rate": {"choice": [0.0, 0.1]},
        "position": {"choice": [{"kind": "learned"}, {"kind": "rotary"}]},
    },
    "no two share costs": {
        "extends": "gpt-micro",
        "emb_dim": {"int": {"low": 64, "high": 1024, "step": 4}},
        "n_heads": {"choice": [2, 4]},
        "n_layers": {"int": {"low": 1, "high": 24}},
        "feed_forward": {"kind": "plain", "hidden_multiple": {"float": {"low": 1, "high": 8, "step": 0.5}}},
        "vocab_size": {"int": {"low": 256, "high": 4096, "step": 64}},
    },
    "layers differ": {
        "extends": "gpt-micro",
        "emb_dim": WIDTHS,
        "n_layers": {"int": {"low": 1, "high": 12}},
        "layers": {"choice": [[], [{"attention": {"window": {"choice": [8, 16, 32]}}}, {}]]},
        "activation": {"choice": ["gelu", "relu", "silu"]},
        "norm": {"choice": [{"kind": "layer_norm"}, {"kind": "rms_norm"}]},
        "feed_forward": {"choice": [{"kind": "plain"}, {"kind": "gated"}]},
        "vocab_size": {"int": {"low": 256, "high": 4096, "step": 64}},
    },
}


def memory(config: GPTConfig) -> Mapping[str, Any]:
    return predict_memory(config, TrainingConfig(), "cpu", 100)


def seconds_of(work: Callable[[], Any]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def one_by_one(space: SearchSpace) -> None:
    points = choose_points(space, COMPARED, 0)
    for point in range(points.number):
        try:
            config = space.variant(points.parameters(point)).config
        except DeclarationError:
            continue
        hash_config(config.model_dump(mode="json"))
        hash_config(canonical(config).model_dump(mode="json"))
        model_cost(config)


def main() -> None:
    print("# The table of a space\n")
    print(f"`{sys.argv[0]}`, Python {platform.python_version()}, {platform.machine()}, one core. Seconds of")
    print(
        f"processor time for {POINTS:,} points: verdict, both hashes, costs; the same with predicted memory;"
    )
    print(f"point by point, extrapolated from {COMPARED}.\n")
    print("| space | points | valid | with costs | with memory too | point by point |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, declared in SPACES.items():
        space = resolve_space(declared)
        valid = space_table(space, POINTS, measures=()).table["valid"].mean()
        costed = seconds_of(lambda space=space: space_table(space, POINTS, measures=[costs]))
        remembered = seconds_of(lambda space=space: space_table(space, POINTS, measures=[costs, memory]))
        slow = seconds_of(lambda space=space: one_by_one(space)) * POINTS / COMPARED
        cells = [name, f"{space.size:,}", f"{valid:.0%}", f"{costed:.1f}", f"{remembered:.1f}", f"{slow:.0f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
