"""What a training has spent, and what it bought so far."""

from dataclasses import dataclass, field

from experiments.record import CurvePoint


@dataclass
class Spent:
    """How far a training is."""

    step: int = 0
    seconds: float = 0.0
    loop_seconds: float = 0.0
    """In the loop of this process: steps, evaluations, and what lies between."""
    tracked_bytes: int | None = None
    """What torch had handed out at once in an early step, where that is tracked."""
    loss_sum: float = 0.0
    """Of the steps since the last point of the curve."""
    loss_steps: int = 0
    evaluation_due: bool = False
    """Whether the last step reached a point of the curve, whose validation loss is not measured yet."""
    curve: list[CurvePoint] = field(default_factory=list)
