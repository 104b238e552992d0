"""Searches by hand that stopped some trainings and confirmed their front, for tests of tables and reports."""

from typing import Any

from report_runs import make_failure, make_record

from experiments.record import CurvePoint, Purpose, Status, TrialRecord

CONFIRM = Purpose.CONFIRM
TERA = 10**12


def make_stopped(trial: int, loss: float, share: float = 0.25, **changes: Any) -> TrialRecord:
    """Stopped with `loss` at its rung; a full training spends a TFLOP."""
    spent: dict[str, Any] = {"train_flops": int(share * TERA), "tokens": int(1000 * share), "seconds": 3.0}
    point = CurvePoint(step=int(100 * share), train_loss=loss, validation_loss=loss, **spent)
    told: dict[str, Any] = {"stopped_at": share, "curve": [point], "memory_bytes": 2**29, **spent, **changes}
    return make_failure(trial, Status.STOPPED, f"stopped at {share:.0%}", **told)


def confirm(trial: int, losses: list[float], flops: int = TERA, **changes: Any) -> list[TrialRecord]:
    return [
        make_record(trial, loss, flops, seed=2 + place, purpose=CONFIRM, **changes)
        for place, loss in enumerate(losses)
    ]


def searched_records() -> list[TrialRecord]:
    """A search for loss and FLOPs.

    Searched: 0 (3.0 at 4 TFLOP), 1 (3.1 at 2) and 2 (3.3 at 1) on the front, 3 (3.15 at 2) not. Confirmed: 0
    at 3.1, 1 at 3.2 and 2 at 3.3, so that 3 takes the place of 1; it is confirmed in turn, at 3.16. Stopped:
    4, which a check (8) shows to be worse; 5, which a check (9) shows to be on the front, where it takes the
    place of 2; 6, which the search took up as 10; and 7.
    """
    chosen = {"emb_dim": 128, "position.kind": "rotary"}
    return [
        make_record(0, 3.0, 4 * TERA, parameters=chosen),
        make_record(1, 3.1, 2 * TERA, parameters={**chosen, "emb_dim": 96}),
        make_record(2, 3.3, TERA, parameters={**chosen, "emb_dim": 64}),
        make_record(3, 3.15, 2 * TERA, parameters={**chosen, "position.kind": "learned"}),
        *confirm(0, [3.0, 3.1, 3.2], 4 * TERA, parameters=chosen),
        *confirm(1, [3.2, 3.1, 3.3], 2 * TERA, parameters={**chosen, "emb_dim": 96}),
        *confirm(2, [3.3, 3.2, 3.4], TERA, parameters={**chosen, "emb_dim": 64}),
        *confirm(3, [3.16, 3.15, 3.17], 2 * TERA, parameters={**chosen, "position.kind": "learned"}),
        make_stopped(4, 5.0, predicted_loss=3.6, optimistic_loss=3.5, parameters={"emb_dim": 32}),
        make_stopped(5, 4.9, 0.5, predicted_loss=3.5, optimistic_loss=3.4, parameters={"emb_dim": 48}),
        make_stopped(6, 5.2, predicted_loss=3.7, optimistic_loss=3.6, parameters={"emb_dim": 40}),
        make_stopped(7, 5.3, predicted_loss=3.8, optimistic_loss=3.7, parameters={"emb_dim": 24}),
        taken_up(8, 4, 3.55, {"emb_dim": 32}, purpose=Purpose.CHECK),
        taken_up(9, 5, 3.2, {"emb_dim": 48}, purpose=Purpose.CHECK),
        taken_up(10, 6, 3.65, {"emb_dim": 40}),
    ]


def taken_up(trial: int, stopped: int, loss: float, chosen: dict[str, Any], **changes: Any) -> TrialRecord:
    """The training of a stopped trial, gone on with to its end."""
    return make_record(
        trial, loss, TERA, continues=stopped, config_hash=f"hash-{stopped}", parameters=chosen, **changes
    )


SEARCHED = {
    "space": {"emb_dim": {"choice": [24, 32, 40, 48, 64, 96, 128]}},
    "budget": {"tokens": 1_000_000},
    "training": {"evaluations": 4},
    "seeds": [1],
    "search": {
        "trials": 11,
        "stopping": {"rule": "front", "rungs": [0.25, 0.5], "confidence": 0.95, "check": 2},
        "confirm": 3,
        "least_gain": 0.01,
    },
}
"""What such a search was asked."""
