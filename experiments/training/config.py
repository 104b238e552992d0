"""How a training is declared: the optimisation, and the budget that ends it."""

from math import ceil
from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from gpt_zoo.config.base import Declared
from gpt_zoo.cost.model import Cost


class TrainingConfig(Declared):
    """Optimisation of one model: AdamW, linear warm-up, cosine decay, clipped gradients."""

    batch_size: PositiveInt = 16
    """Sequences that go through the model at once."""
    gradient_accumulation: PositiveInt = 1
    """Batches whose gradients add up to one step."""
    learning_rate: PositiveFloat = 1e-3
    """Peak of the schedule."""
    warmup_fraction: float = Field(default=0.05, ge=0.0, lt=1.0)
    """Share of the budget in which the learning rate rises from zero."""
    final_learning_rate_fraction: float = Field(default=0.1, ge=0.0, le=1.0)
    """Where the cosine ends, as a share of the peak."""
    weight_decay: NonNegativeFloat = 0.1
    """Of matrices and tables; biases and norms are never decayed."""
    betas: tuple[float, float] = (0.9, 0.95)
    gradient_clip: PositiveFloat | None = 1.0
    """Largest norm of the gradient of a step."""
    drop_rate: float | None = Field(default=None, ge=0.0, lt=1.0)
    """Dropout of all variants; None leaves each its own."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 computes under autocast; weights and optimizer stay float32."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: PositiveInt | None = None
    """Processor threads; None takes OMP_NUM_THREADS if it is set, else all cores."""
    evaluations: PositiveInt = 4
    """Points of the learning curve with a validation loss, evenly spread; the last is at the end."""
    checkpoint_seconds: PositiveFloat = 30.0
    """An interrupted training loses no more than this."""
    save_weights: bool = False
    """Keep the trained weights in the run folder."""

    def tokens_per_step(self, context_length: int) -> int:
        """Tokens that one optimizer step sees."""
        return self.batch_size * self.gradient_accumulation * context_length


class BudgetConfig(Declared):
    """What a training may spend: exactly one of these."""

    tokens: PositiveInt | None = None
    steps: PositiveInt | None = None
    flops: PositiveFloat | None = None
    """Training FLOPs: 3 x forward, attention in full."""
    seconds: PositiveFloat | None = None
    """Time in training steps. The same seed then need not give the same loss."""
    tokens_per_param: PositiveFloat | None = None
    """Tokens for each parameter; Hoffmann et al. 2022 (arXiv:2203.15556) find about 20 compute-optimal."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            message = f"a budget is exactly one of {', '.join(type(self).model_fields)}; got " + (
                " and ".join(given) or "none"
            )
            raise PydanticCustomError("budget", "{message}", {"message": message})
        return self

    def steps_for(self, cost: Cost, tokens_per_step: int) -> int | None:
        """Optimizer steps that spend the budget on a model of this cost, rounded up; None if time decides."""
        if self.seconds is not None:
            return None
        if self.steps is not None:
            return self.steps
        if self.flops is not None:
            return ceil(self.flops / (cost.flops_train(tokens_per_step)))
        tokens = self.tokens if self.tokens is not None else cost.params * (self.tokens_per_param or 0)
        return ceil(tokens / tokens_per_step)
