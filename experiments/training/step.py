"""A step of a declared training, for what is predicted of it."""

from experiments.training.config import TrainingConfig
from gpt_zoo.cost.memory import TrainingStep


def training_step(training: TrainingConfig, device: str = "cpu") -> TrainingStep:
    """How a step is made. What is still `auto` is taken for what it means where nothing was measured.

    Args:
        device: Whose kernels compute it.
    """
    return TrainingStep(
        batch_size=training.batch_size,
        precision="float32" if training.precision == "auto" else training.precision,
        optimizer=training.optimizer,
        fused_attention=training.attention_backend != "written_out",
        recompute=training.recompute,
        gradient_accumulation=training.gradient_accumulation,
        loss_chunks=1 if training.loss_chunks == "auto" else training.loss_chunks,
        device="cuda" if device == "cuda" else "cpu",
    )
