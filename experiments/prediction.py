"""What of a training is known before it is begun: its costs, its length, the memory that it will need."""

from dataclasses import dataclass

from experiments.constraints import known_costs
from experiments.doctor import load_tuning
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.multipliers import with_multipliers
from experiments.training.ramp import tokens_after
from experiments.training.step import training_step
from experiments.tuning import needs_tuning, resolve
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.memory import training_memory
from gpt_zoo.cost.model import Cost, model_cost


def predict_memory(
    config: GPTConfig, training: TrainingConfig, device: str, steps: int | None
) -> dict[str, int]:
    """The fields of a record that tell it; none for a component that does not say what it keeps.

    The least is what is there for certain. At the end of a forward pass: weights, all that is saved, the
    gradients of those before, from the second step on the optimizer's state. At the end of a step: weights,
    gradients, state. What is only there for a moment is left out.

    Args:
        steps: Of the training; None if time decides.
    """
    try:
        memory = training_memory(with_multipliers(config, training), training_step(training, device))
    except ValueError:
        return {}
    state = memory.optimizer_bytes if steps is not None and steps > 1 else 0
    added = memory.gradients_bytes if training.gradient_accumulation > 1 else 0
    kept = memory.weights_bytes + memory.saved_bytes + state + added
    stepped = memory.weights_bytes + memory.gradients_bytes + memory.optimizer_bytes
    return {"predicted_memory_bytes": memory.peak_bytes, "least_memory_bytes": max(kept, stepped)}


@dataclass(frozen=True)
class Foreseen:
    """What is known of a training.

    Args:
        cost: Of the model.
        steps: Of the optimizer; None if time decides.
        tokens_per_step: That each of them sees, after a batch ramp.
        record: The fields of a record that tell it.
    """

    cost: Cost
    steps: int | None
    tokens_per_step: int
    record: dict[str, int]


def foresee(config: GPTConfig, training: TrainingConfig, budget: BudgetConfig, device: str) -> Foreseen:
    """What is known of training `config`, as it is trained, before that is begun.

    Args:
        training: Where it still says `auto`, it is settled by what is kept of this machine.
        device: That it will run on; `auto` is taken for a processor.
    """
    cost = model_cost(config)
    steps = budget.steps_for(cost, training)
    device = "cpu" if device == "auto" else device
    tuning = load_tuning(device, training.threads) if needs_tuning(training, device) else None
    training = resolve(training, config, device, tuning, steps)
    tokens = None if steps is None else tokens_after(training, steps, config.context_length)
    record = known_costs(cost, tokens) | predict_memory(config, training, device, steps)
    return Foreseen(cost, steps, training.tokens_per_step(config.context_length), record)
