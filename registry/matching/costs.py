"""The costs in which variants can be made equal."""

from dataclasses import dataclass

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.cost import Cost, model_cost
from gpt_zoo.cost.memory import TrainingStep, training_memory

FIELDS = {
    "params": "params",
    "active": "params_active",
    "non_embedding": "params_non_embedding",
    "flops": "flops_forward",
    "flops_causal": "flops_forward_causal",
    "flops_windowed": "flops_forward_windowed",
    "train_flops": "flops_train_step",
    "kv_bytes": "kv_cache_bytes",
    "kv_bytes_per_token": "kv_cache_bytes_per_token",
}
"""The field of `Cost` for each name."""
MEMORY = "memory"
COSTS = (*FIELDS, MEMORY)
"""What variants can be made equal in; `memory` is the predicted peak of a training step."""
ON_SEQUENCES = {"flops", "flops_causal", "flops_windowed", "train_flops", "kv_bytes", MEMORY}
"""Those that depend on the length of the sequences."""


def check_cost_name(on: str) -> str:
    """`on`, if variants can be made equal in it.

    Raises:
        ValueError: they cannot.
    """
    if on not in COSTS:
        raise ValueError(f"variants cannot be matched on `{on}`; {did_you_mean(on, COSTS)}")
    return on


@dataclass(frozen=True)
class CostName:
    """One cost, and all that it depends on beside the config.

    Args:
        on: One of `COSTS`.
        context_length: T, tokens of a sequence.
        step: Batch size, precision and optimizer of a training step.
    """

    on: str
    context_length: int
    step: TrainingStep

    def of(self, config: GPTConfig) -> int:
        """The cost of `config`.

        Raises:
            ValueError: T is beyond the config's context, or the memory of a component is not known.
        """
        if self.on != MEMORY:
            return self.of_cost(model_cost(config, self.context_length, self.step.batch_size))
        return training_memory(config, self.step).peak_bytes

    def of_cost(self, cost: Cost) -> int:
        """The same of costs that are known already.

        Raises:
            ValueError: it is the memory of training, which is none of them.
        """
        if self.on == MEMORY:
            raise ValueError("`memory` is matched against a variant, not against its other costs")
        value: int = getattr(cost, FIELDS[self.on])
        return value
