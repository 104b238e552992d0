"""What one training leaves behind: a row, whatever became of it."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from gpt_zoo.config.base import Declared

PHASES = ("data", "forward", "backward", "optimizer", "evaluation")
"""What the time of a training loop is divided into; each has a field `<phase>_share`."""
SPEED_FIELDS = (
    "model_flops_per_second",
    "peak_flops_per_second",
    "mfu",
    "mfu_published",
    *(f"{phase}_share" for phase in PHASES),
)
"""Of a trial record: `experiments.speed` fills them."""


class Purpose(StrEnum):
    """Why a training was done."""

    SEARCH = "search"  # proposed by a search, or named by a comparison
    CONFIRM = "confirm"  # a member of the front again, with a seed that had no part in choosing it
    CHECK = "check"  # a stopped training to its end, to see whether stopping it was right


class Status(StrEnum):
    """What became of a trial. Only `complete` rows can stand on a front."""

    COMPLETE = "complete"
    DUPLICATE = "duplicate"  # the same config was trained before with this seed: answered from that record
    INFEASIBLE = "infeasible"  # breaks a constraint, or a rule of the schema
    STOPPED = "stopped"  # early, as it could not reach the front: has a curve and no final loss
    DIVERGED = "diverged"  # the loss became NaN or infinite
    OUT_OF_MEMORY = "out_of_memory"
    FAILED = "failed"  # anything else; the reason says what


class CurvePoint(Declared):
    """One point of a learning curve: all that was spent so far and the losses it bought."""

    step: int
    tokens: int
    train_flops: int
    seconds: float
    train_loss: float | None
    """Mean over the steps since the last point, in nats per token."""
    validation_loss: float | None
    """On the held-out tokens, in nats per token."""


class TriedRate(Declared):
    """A short training of a sweep of learning rates."""

    learning_rate: float
    validation_loss: float | None
    """At its end, in nats per token; None where it diverged."""
    train_flops: int


class TrialRecord(Declared):
    """One row of the table of trials. Units are suffixes; losses are in nats per token."""

    trial: int
    """Number of the trial in its run; several seeds share one."""
    variant: str
    seed: int
    status: Status
    reason: str = ""
    """Why the status is not `complete`."""
    note: str = ""
    """What else there is to know of how it came about."""
    purpose: Purpose = Purpose.SEARCH
    continues: int | None = None
    """The stopped trial whose training this one took up; what it spent is contained in this row's numbers."""
    stopped_at: float | None = None
    """Share of the budget after which it was stopped."""
    predicted_loss: float | None = None
    """Of a stopped one: the final validation loss that was expected when it was stopped."""
    predicted_loss_deviation: float | None = None
    """By which one training may be off it."""
    optimistic_loss: float | None = None
    """The lowest that was still held for possible, at the confidence of the rule."""

    config: dict[str, Any]
    """The GPTConfig that was built, as plain data; what was asked for, where that is no valid config."""
    config_hash: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    """The values that a search chose, by key path; empty in a comparison."""

    params: int | None = None
    params_non_embedding: int | None = None
    params_active: int | None = None
    """Those that one token uses: without the experts that it is not sent to."""
    flops_forward: int | None = None
    """One sequence of the context length, 2 FLOPs a multiply-accumulate, attention counted in full."""
    flops_forward_causal: int | None = None
    flops_forward_windowed: int | None = None
    train_flops: int | None = None
    """Spent by this training: 3 x forward, all sequences; of an infeasible one, what it would have spent."""
    sweep_flops: int | None = None
    """Spent before it to find its learning rate; 0 where another seed of the model had found it."""
    kv_cache_bytes_per_token: int | None = None
    kv_cache_bytes: int | None = None
    """Of one sequence that fills the context, windows and linear attention considered."""
    predicted_memory_bytes: int | None = None
    """Peak of a step of this training, computed before it."""
    least_memory_bytes: int | None = None
    """The part of it that the training needs for certain: enough to refuse it."""
    memory_bytes: int | None = None
    """Measured peak that the training added to its process (CPU), or allocated on the device (CUDA)."""
    tracked_memory_bytes: int | None = None
    """Peak of what torch had handed out at once: of the whole training (CUDA), of one early step (CPU)."""
    process_memory_bytes: int | None = None
    """Measured peak of the whole process, interpreter and libraries included."""

    steps: int | None = None
    tokens: int | None = None
    epochs: float | None = None
    """Passes over the training text."""
    seconds: float | None = None
    """Of the training steps, without building and evaluating."""
    build_seconds: float | None = None
    """From the start of the trial to its first step."""
    wall_seconds: float | None = None
    """Of the whole trial: building, steps, evaluations, and what lies between."""
    tokens_per_second: float | None = None
    model_flops_per_second: float | None = None
    """`train_flops` over `seconds`."""
    peak_flops_per_second: float | None = None
    """What the device was measured to reach in large matrix products of this precision."""
    mfu: float | None = None
    """Model FLOP utilisation: share of that peak; None where this machine was never measured."""
    mfu_published: float | None = None
    """Share of what its maker publishes; None where `registry/devices.yaml` does not know the device."""
    data_share: float | None = None
    """Of the time of the training loop, as the four below; what they leave to 1 is all else."""
    forward_share: float | None = None
    backward_share: float | None = None
    optimizer_share: float | None = None
    evaluation_share: float | None = None
    train_loss: float | None = None
    validation_loss: float | None = None
    perplexity: float | None = None
    bits_per_byte: float | None = None

    device: str = ""
    precision: str = ""
    attention_backend: str | None = None
    """What really computed, as the seven below; None in records of before it was kept."""
    compile: str | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    """Peak of the schedule that it was trained with."""
    parametrization: str | None = None
    """mup: `config` is as declared, without the factors that `experiments.training.mup` adds to it."""
    cuda_graphs: str | None = None
    loss_chunks: int | None = None
    threads: int | None = None
    """Of the processor, that torch computed with."""
    curve: list[CurvePoint] = Field(default_factory=list)
    learning_rates: list[TriedRate] = Field(default_factory=list)
    """Those of the sweep, in the order in which they were tried."""

    @property
    def was_trained(self) -> bool:
        """Whether the row cost training, however it ended: these count towards the trials asked for."""
        if self.status is Status.INFEASIBLE:
            return self.steps is not None  # a limit on a measured number is broken only after training
        return self.status is not Status.DUPLICATE
