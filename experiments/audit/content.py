"""What an audit says, whatever it is shown in: plain data, numbers in the units of their names."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

CONFIDENCE = 1.96
"""Standard deviations on either side of an estimate: 95 of 100 such intervals hold the truth."""


@dataclass(frozen=True)
class Count:
    """So many points of those examined; of the whole space too, where only some were.

    Args:
        examined: Points that were looked at.
        share: Of all that were looked at.
        estimate: Points of the whole space; None where it is endless.
        low: Where the share lies at least, at 95 %; the share itself where all points were looked at.
        high: Where it lies at most.
    """

    examined: int
    share: float
    estimate: int | None
    low: float
    high: float


@dataclass(frozen=True)
class Rule:
    """A rule of the schema that some points break.

    Args:
        rule: Without the values.
        count: Points that break it, others too perhaps.
        example: What is said to one of them.
    """

    rule: str
    count: Count
    example: str


@dataclass(frozen=True)
class Limit:
    """What a constraint does to the valid points.

    Args:
        text: As declared.
        broken: Points that break it for certain.
        unknown: Points of which that is known after training only.
        remark: Why it is not known, if so.
    """

    text: str
    broken: Count
    unknown: Count
    remark: str


@dataclass(frozen=True)
class Bin:
    """Valid points with a number from `low` to below `high`."""

    low: float
    high: float
    feasible: int
    infeasible: int


@dataclass(frozen=True)
class Histogram:
    """How a number is spread over the valid points; `name` is its field of a trial record."""

    name: str
    label: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Extreme:
    """A point at an end: what was chosen, and what it costs by name of the number."""

    name: str
    parameters: dict[str, Any]
    costs: dict[str, float]


@dataclass(frozen=True)
class Twins:
    """Points that are the same model, by what they are called or what was chosen for them."""

    members: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class Timing:
    """A point whose training was tried for a moment: costs, and what was measured.

    Args:
        overhead_seconds: Of all that is no step: the start of its process, building, evaluating.
    """

    name: str
    step_flops: float
    forward_flops_per_token: float
    steps: int
    seconds_per_step: float
    overhead_seconds: float


@dataclass(frozen=True)
class Time:
    """How long the trainings will take: an estimate.

    Args:
        seconds: Of all trainings, one after the other.
        low: At least, at about 95 %.
        high: At most.
        trainings: That it counts.
        timings: What it rests upon.
        remarks: On what else it rests, in sentences.
    """

    seconds: float
    low: float
    high: float
    trainings: int
    timings: tuple[Timing, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """All of an audit. Texts come from users in part: whatever shows it must escape them.

    Args:
        name: Of the experiment.
        description: Of the experiment.
        comparison: Whether it has variants and no space.
        size: Points of the space; None if it is endless.
        examined: Points that were looked at.
        sampled: Whether those are only some, drawn by lot.
        valid, invalid: Points that are a config, and that are none.
        rules: The rules that the invalid ones break.
        infeasible: Valid points that break a constraint for certain.
        limits: The same by constraint.
        feasible: What is left of the valid ones.
        distinct: Models among the feasible ones that were looked at.
        equivalent: Feasible points that are the same model as one before.
        twins: Some of them.
        histograms: Of params, training FLOPs and predicted memory.
        cheapest, dearest: Of the feasible points, in training FLOPs; None without any.
        time: How long training takes; None if it was not measured.
        remarks: What else there is to know, in sentences.
    """

    name: str
    description: str
    comparison: bool
    size: int | None
    examined: int
    sampled: bool
    valid: Count
    invalid: Count
    rules: tuple[Rule, ...]
    infeasible: Count
    limits: tuple[Limit, ...]
    feasible: Count
    distinct: int
    equivalent: int
    twins: tuple[Twins, ...]
    histograms: tuple[Histogram, ...]
    cheapest: Extreme | None
    dearest: Extreme | None
    time: Time | None
    remarks: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return asdict(self)


def wilson(count: int, examined: int) -> tuple[float, float]:
    """The interval of a share that was counted in a sample, at 95 %.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    if not examined:
        return 0.0, 1.0
    share, z = count / examined, CONFIDENCE**2 / examined
    middle = (share + z / 2) / (1 + z)
    half = CONFIDENCE * math.sqrt(share * (1 - share) / examined + z / (4 * examined)) / (1 + z)
    return max(0.0, middle - half), min(1.0, middle + half)
