"""The numbers of a trial record that can be optimised, constrained and drawn."""

from dataclasses import dataclass
from typing import Literal

from gpt_zoo.config.base import did_you_mean


@dataclass(frozen=True)
class Objective:
    """A recorded number and which way is better.

    Args:
        name: Field of the trial record.
        direction: Which way is better.
        label: For axes and table heads, with the unit.
        logarithmic: Whether an axis of it is drawn in powers of ten.
        foreseen: Whether it is known before training, where a number of tokens or steps ends that.
    """

    name: str
    direction: Literal["minimize", "maximize"]
    label: str
    logarithmic: bool = False
    foreseen: bool = False

    def is_known(self, timed: bool) -> bool:
        """Whether it is known before training.

        Args:
            timed: Whether time ends the training.
        """
        return self.foreseen and not (timed and self.name in SPENT)


FINAL_LOSSES = ("validation_loss", "perplexity", "bits_per_byte")
"""What the validation loss at the end of a training tells; each falls with it."""
LOSSES = (*FINAL_LOSSES, "train_loss")
SPENT = ("train_flops", "tokens")
"""What a training of a given time spends is known after it only."""
OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("validation_loss", "minimize", "validation loss (nats/token)"),
        Objective("train_loss", "minimize", "train loss (nats/token)"),
        Objective("perplexity", "minimize", "perplexity"),
        Objective("bits_per_byte", "minimize", "bits per byte"),
        Objective("params", "minimize", "parameters", logarithmic=True, foreseen=True),
        Objective(
            "params_non_embedding", "minimize", "non-embedding parameters", logarithmic=True, foreseen=True
        ),
        Objective("params_active", "minimize", "active parameters", logarithmic=True, foreseen=True),
        Objective("flops_forward", "minimize", "forward FLOPs per sequence", logarithmic=True, foreseen=True),
        Objective(
            "flops_forward_causal",
            "minimize",
            "causal forward FLOPs per sequence",
            logarithmic=True,
            foreseen=True,
        ),
        Objective(
            "flops_forward_windowed",
            "minimize",
            "forward FLOPs per sequence in windows",
            logarithmic=True,
            foreseen=True,
        ),
        Objective("train_flops", "minimize", "training FLOPs", logarithmic=True, foreseen=True),
        Objective(
            "kv_cache_bytes_per_token", "minimize", "KV cache (bytes/token)", logarithmic=True, foreseen=True
        ),
        Objective(
            "kv_cache_bytes", "minimize", "KV cache of a context (bytes)", logarithmic=True, foreseen=True
        ),
        Objective(
            "predicted_memory_bytes",
            "minimize",
            "predicted peak memory (bytes)",
            logarithmic=True,
            foreseen=True,
        ),
        Objective("memory_bytes", "minimize", "peak memory (bytes)", logarithmic=True),
        Objective("process_memory_bytes", "minimize", "peak memory of the process (bytes)", logarithmic=True),
        Objective("tokens", "minimize", "training tokens", logarithmic=True, foreseen=True),
        Objective("seconds", "minimize", "training time (s)"),
        Objective("tokens_per_second", "maximize", "tokens per second", logarithmic=True),
    )
}


DEFAULT_OBJECTIVES = ("validation_loss", "train_flops")
"""Those of an experiment that names none."""


def find_objective(name: str) -> Objective:
    """The objective called `name`.

    Raises:
        ValueError: nothing recorded has that name.
    """
    if name not in OBJECTIVES:
        raise ValueError(f"no objective is called `{name}`; {did_you_mean(name, OBJECTIVES)}")
    return OBJECTIVES[name]
