"""Stopping what cannot reach the front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from experiments.objectives import FINAL_LOSSES, SPENT, Objective, find_objective
from experiments.record import TrialRecord
from experiments.search.stopping.forecast import forecast_final_loss
from experiments.search.stopping.rule import Case, Rung, Stop, is_complete, loss_at

GROWING = ("seconds", *SPENT)
"""Spent evenly: of a training that is stopped at a share of its budget, as much of them."""


@dataclass(frozen=True)
class FrontRule:
    """A training goes on while it may still reach the front.

    It is stopped when its optimistic final loss is no lower than the loss of a complete variant which costs
    no more in any objective: then even with luck it is dominated. Several objectives are no obstacle, as
    those beside the loss are known.

    Args:
        objectives: Names; one of them a loss at the end of a training.
        confidence: Of the optimistic view, one-sided.
    """

    objectives: Sequence[str]
    confidence: float

    def judge(self, case: Case, rung: Rung, before: Sequence[Sequence[TrialRecord]]) -> Stop | None:
        """Whether a trial is stopped at a rung. See `Rule`."""
        complete = [records for records in before if is_complete(records)]
        traits = _traits(case.records, rung.point)
        if traits is None:
            return None
        peers = [_traits(records, rung.point) for records in complete]
        finals = [_mean(records, "validation_loss") for records in complete]
        pairs = [(peer, final) for peer, final in zip(peers, finals, strict=True) if peer is not None]
        forecast = forecast_final_loss(
            traits, [peer for peer, _ in pairs], [final for _, final in pairs], self.confidence
        )
        if forecast is None:
            return None
        costs = [self._foresee(case, objective, rung.share) for objective in self._costs]
        for records, final in zip(complete, finals, strict=True):
            if final <= forecast.optimistic and self._costs_no_more(records, costs):
                trial = records[0].trial
                return Stop(
                    f"stopped at {rung.share:.0%} of its budget, at a loss of {traits[0]:.4f}: with "
                    f"{self.confidence:.0%} confidence it ends no lower than {forecast.optimistic:.4f}, and "
                    f"trial {trial} has {final:.4f} and costs no more",
                    forecast.mean,
                    forecast.deviation,
                    forecast.optimistic,
                )
        return None

    @property
    def _costs(self) -> list[Objective]:
        return [find_objective(name) for name in self.objectives if name not in FINAL_LOSSES]

    def _foresee(self, case: Case, objective: Objective, share: float) -> float:
        """What a case costs at its end: as declared, else as measured so far."""
        declared = getattr(case.declared, objective.name)
        if declared is not None:
            return float(declared)
        measured = _mean(case.records, objective.name)
        return measured / share if objective.name in GROWING else measured

    def _costs_no_more(self, records: Sequence[TrialRecord], costs: Sequence[float]) -> bool:
        for objective, cost in zip(self._costs, costs, strict=True):
            own = _mean(records, objective.name)
            if not (own <= cost if objective.direction == "minimize" else own >= cost):
                return False
        return True


def _traits(records: Sequence[TrialRecord], point: int) -> list[float] | None:
    """What a final loss is foretold from: the loss at a point of the curve, and the logarithm of the size.

    Of two models with the same loss there, the larger has more to gain from what is left of its budget.
    """
    loss, params = loss_at(records, point), records[0].params
    return None if loss is None or not params else [loss, math.log(params)]


def _mean(records: Sequence[TrialRecord], name: str) -> float:
    """Over seeds; NaN where it is not recorded."""
    values = [getattr(record, name) for record in records]
    return float("nan") if None in values else fmean(values)
