"""What to change of a training that does not fit into memory."""

from collections.abc import Iterator

from experiments.prediction import predict_memory
from experiments.training.config import TrainingConfig
from gpt_zoo.config.gpt import GPTConfig


def advise_memory(config: GPTConfig, training: TrainingConfig, device: str, available_bytes: int) -> str:
    """The nearest settings with which the training fits, as predicted."""
    for less in _frugal(training):
        predicted = predict_memory(config, less, device, None).get("predicted_memory_bytes")
        if predicted is not None and predicted <= available_bytes:
            return "try " + " ".join(
                f"training.{name}={str(value).lower()}"
                for name, value in less.model_dump().items()
                if value != getattr(training, name)
            )
    return "a smaller model is needed: none of a smaller training.batch_size and training.recompute is enough"


def _frugal(training: TrainingConfig) -> Iterator[TrainingConfig]:
    """Less and less memory, at the same number of sequences a step."""
    batch, parts = training.batch_size, training.gradient_accumulation
    halvings = [2**power for power in range(batch.bit_length()) if batch % 2**power == 0]
    for recompute in sorted({training.recompute, True}):
        for halving in halvings:
            changes = {
                "batch_size": batch // halving,
                "gradient_accumulation": parts * halving,
                "recompute": recompute,
            }
            yield training.model_copy(update=changes)
