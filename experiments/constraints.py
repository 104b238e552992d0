"""Limits that a variant must keep, decided before training wherever the cost alone decides them."""

import math
import operator
import re
from dataclasses import dataclass

from experiments.objectives import find_objective
from experiments.quantity import QUANTITY, parse_quantity
from experiments.record import TrialRecord
from gpt_zoo.cost.model import Cost

OPERATORS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}
PATTERN = re.compile(rf"\s*(?P<name>\w+)\s*(?P<operator><=|>=|<|>)\s*{QUANTITY}\s*")

BYTES_PER_TRAINED_PARAM = 16
"""Weight, gradient and AdamW's two moments, float32 each: no training does with less."""


@dataclass(frozen=True)
class Constraint:
    """A limit on one recorded number: `params <= 2e6`, `memory_bytes <= 512MiB`.

    Args:
        text: As declared.
        name: Field of the trial record.
        operator: One of <=, <, >=, >.
        limit: In the unit of the field.
    """

    text: str
    name: str
    operator: str
    limit: float

    def violation(self, value: float) -> float:
        """How far `value` is beyond the limit, as a share of it; 0 or less where the limit is kept."""
        excess = value - self.limit if self.operator.startswith("<") else self.limit - value
        if OPERATORS[self.operator](value, self.limit):
            return min(excess, 0.0) / max(abs(self.limit), 1e-12)
        return max(excess / max(abs(self.limit), 1e-12), math.ulp(1.0))

    def explain(self, value: float, least: bool = False) -> str:
        """What to tell of a value that breaks the limit."""
        # A count is told to the last digit, or 2000001 would break a limit of 2e6 as "2e+06".
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
        return f"{self.text} is broken: {self.name} is {'at least ' if least else ''}{number}"


@dataclass(frozen=True)
class Verdict:
    """What the constraints say of one trial.

    Args:
        violations: By the text of the constraint, what is known of it; above 0 is a breach.
        reason: The breaches in words; empty if there are none.
    """

    violations: dict[str, float]
    reason: str


def parse_constraint(text: str) -> Constraint:
    """The constraint that `text` declares.

    Raises:
        ValueError: no constraint, an unknown number, or an unknown unit.
    """
    match = PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"a constraint looks like `params <= 2e6` or `memory_bytes <= 512MiB`, got `{text}`")
    name = find_objective(match["name"]).name
    limit = parse_quantity(match["number"], match["unit"], text)
    return Constraint(text, name, match["operator"], limit)


def judge(constraints: tuple[Constraint, ...], record: TrialRecord) -> Verdict:
    """What the numbers known so far say: before training the costs, afterwards all."""
    violations, breaches = {}, []
    for constraint in constraints:
        value = getattr(record, constraint.name)
        least = value is None and constraint.name in ("memory_bytes", "process_memory_bytes")
        if least and constraint.operator.startswith("<") and record.params is not None:
            # Enough to refuse, never enough to accept.
            value = max(BYTES_PER_TRAINED_PARAM * record.params, record.least_memory_bytes or 0)
            if constraint.violation(value) <= 0:
                continue
        if value is None:
            continue
        violations[constraint.text] = constraint.violation(value)
        if violations[constraint.text] > 0:
            breaches.append(constraint.explain(value, least))
    return Verdict(violations, "; ".join(breaches))


def known_costs(cost: Cost, tokens: int | None) -> dict[str, int]:
    """The fields of a record that are known before training.

    Args:
        cost: Of the variant.
        tokens: That the training sees; None if time decides.
    """
    known = {
        "params": cost.params,
        "params_non_embedding": cost.params_non_embedding,
        "params_active": cost.params_active,
        "flops_forward": cost.flops_forward,
        "flops_forward_causal": cost.flops_forward_causal,
        "flops_forward_windowed": cost.flops_forward_windowed,
        "kv_cache_bytes_per_token": cost.kv_cache_bytes_per_token,
        "kv_cache_bytes": cost.kv_cache_bytes,
    }
    if tokens is not None:
        known["tokens"] = tokens
        known["train_flops"] = cost.flops_train(tokens)
    return known
