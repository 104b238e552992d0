"""How a training is declared: the optimisation, and the budget that ends it."""

from math import ceil
from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from experiments.training.ramp import steps_to_see
from gpt_zoo.config.base import Declared
from gpt_zoo.cost.model import Cost


class BatchRampConfig(Declared):
    """A batch that grows, in equal parts, over the first steps.

    Source: Smith et al. 2017, "Don't Decay the Learning Rate, Increase the Batch Size", arXiv:1711.00489; at
        the beginning of a training: Brown et al. 2020, section 2.3, arXiv:2005.14165.
    """

    start: PositiveInt
    """Sequences of the first batch."""
    steps: PositiveInt
    """Steps until it is `batch_size`."""


class TrainingConfig(Declared):
    """Optimisation of one model: optimizer and schedule, and by what means a step is computed."""

    batch_size: PositiveInt = 16
    """Sequences that go through the model at once."""
    batch_ramp: BatchRampConfig | None = None
    """A smaller batch in the first steps."""
    gradient_accumulation: PositiveInt = 1
    """Batches whose gradients add up to one step."""
    optimizer: Literal["adamw", "lion", "muon"] = "adamw"
    """Muon turns the matrices of layers, and leaves all else to AdamW."""
    learning_rate: PositiveFloat | Literal["by_width", "auto"] = 1e-3
    """Peak of the schedule. by_width is 6e-4 x 768 / emb_dim; auto sweeps around that, with short trainings
    of each model before its own."""
    parametrization: Literal["standard", "mup"] = "standard"
    """How initial weights and learning rates change with the width. mup: so that the best learning rate does
    not. Yang et al. 2022, "Tensor Programs V", arXiv:2203.03466."""
    base_width: PositiveInt = 64
    """`emb_dim` at which mup is standard; wide enough to be judged by, and trained within seconds."""
    base_head_dim: PositiveInt | None = None
    """Size of a head at that width; None for as many heads as the variant has. mup."""
    schedule: Literal["cosine", "wsd", "linear", "constant"] = "cosine"
    """How the learning rate goes on after the warm-up; wsd stays, and falls at the end."""
    warmup_fraction: float = Field(default=0.05, ge=0.0, lt=1.0)
    """Share of the budget in which the learning rate rises from zero."""
    decay_fraction: float = Field(default=0.2, gt=0.0, le=1.0)
    """Share of the budget, at its end, in which `wsd` falls."""
    final_learning_rate_fraction: float = Field(default=0.1, ge=0.0, le=1.0)
    """Where a falling schedule ends, as a share of the peak."""
    weight_decay: NonNegativeFloat = 0.1
    """Of matrices and tables; biases and norms are never decayed."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Of AdamW and Lion."""
    momentum: float = Field(default=0.95, ge=0.0, lt=1.0)
    """Of Muon."""
    gradient_clip: PositiveFloat | None = 1.0
    """Largest norm of the gradient of a step."""
    drop_rate: float | None = Field(default=None, ge=0.0, lt=1.0)
    """Dropout of all variants; None leaves each its own."""
    precision: Literal["auto", "float32", "bfloat16", "bfloat16_master"] = "auto"
    """bfloat16 computes products under autocast, from float32 weights; bfloat16_master computes all in
    bfloat16, and steps a float32 copy of the weights; auto is what this device is fastest with."""
    attention_backend: Literal["auto", "fused", "written_out"] = "auto"
    """fused is one kernel; written_out multiplies, weighs and multiplies, which short contexts may be faster
    with; auto is what was measured to be faster here, at the context of the model."""
    compile: Literal["auto", "off", "regional", "full"] = "auto"
    """torch.compile: of each layer, or of the model with its loss; auto where the training is long enough to
    earn the time back that it takes."""
    loss_chunks: PositiveInt | Literal["auto"] = "auto"
    """Parts of a batch whose logits exist at once, one after the other; auto cuts large ones only."""
    recompute: bool = False
    """Keep the input of each layer only, and compute it again in the backward pass: memory for time."""
    cuda_graphs: Literal["auto", "off", "on"] = "auto"
    """Record a step once and replay it, on CUDA; auto for models so small that Python is the limit."""
    deterministic: bool = False
    """Only kernels that give the same bits again; on a CPU they all do."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: PositiveInt | None = None
    """Processor threads; None takes OMP_NUM_THREADS if it is set, else all cores."""
    evaluations: PositiveInt = 4
    """Points of the learning curve with a validation loss, evenly spread; the last is at the end."""
    checkpoint_seconds: PositiveFloat = 30.0
    """An interrupted training loses no more than this."""
    save_weights: bool = False
    """Keep the trained weights in the run folder."""

    @model_validator(mode="after")
    def _ramp_rises(self) -> Self:
        ramp = self.batch_ramp
        if ramp is not None and ramp.start > self.batch_size:
            message = (
                f"`batch_ramp.start` must be at most `batch_size`, got {ramp.start} and {self.batch_size}; "
                f"try {self.batch_size}"
            )
            raise PydanticCustomError("ramp", "{message}", {"message": message})
        return self

    @model_validator(mode="after")
    def _mup_has_rules(self) -> Self:
        if self.parametrization == "mup" and self.optimizer == "muon":
            message = (
                "`parametrization: mup` has rules for optimizers whose steps are made weight by weight, got "
                "optimizer muon; try optimizer adamw or lion, or parametrization standard"
            )
            raise PydanticCustomError("mup", "{message}", {"message": message})
        return self

    @property
    def peak_learning_rate(self) -> float:
        """The peak of the schedule as a number.

        Raises:
            ValueError: it is a word that nobody has settled yet.
        """
        if isinstance(self.learning_rate, str):
            raise ValueError(
                f"steps need a learning rate that is settled, got `{self.learning_rate}`; resolve the "
                "training first, or give a number, such as 1e-3"
            )
        return self.learning_rate

    def tokens_per_step(self, context_length: int) -> int:
        """Tokens that one optimizer step sees; of a batch ramp, one after it."""
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

    def steps_for(self, cost: Cost, training: TrainingConfig) -> int | None:
        """The fewest steps that spend the budget on a model of this cost; None if time decides."""
        if self.seconds is not None:
            return None
        if self.steps is not None:
            return self.steps
        if self.flops is not None:
            wanted, sequence = self.flops, cost.flops_train(cost.context_length)
        else:
            wanted = self.tokens if self.tokens is not None else cost.params * (self.tokens_per_param or 0)
            sequence = cost.context_length
        return steps_to_see(training, -(-ceil(wanted) // sequence))
