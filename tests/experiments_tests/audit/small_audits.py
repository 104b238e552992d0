"""Experiments that cost little to look at."""

from typing import Any

from experiments.experiment import Experiment
from experiments.loading import load_experiment

NANO = {"vocab_size": 99, "context_length": 16, "emb_dim": 24, "n_heads": 4, "n_layers": 2}


def declare(space: dict[str, Any] | None = None, **changes: Any) -> Experiment:
    """A search of a space, in a setting that costs little."""
    training = {"threads": 1, "batch_size": 4, "evaluations": 1}
    data: dict[str, Any] = {"name": "small", "budget": {"steps": 10}, "training": training}
    return load_experiment(data | ({} if space is None else {"space": NANO | space}) | changes)
