"""Run folders made by hand for the tests of tables and reports."""

import json
from pathlib import Path
from typing import Any

import yaml

from experiments.record import CurvePoint, Status, TrialRecord
from experiments.run_folder import RunFolder

NASTY = "<script>alert(1)</script>|`x` [red]bold[/red] $a$\n# b\x07"


def make_curve(loss: float, tokens: int = 1000) -> list[CurvePoint]:
    return [
        CurvePoint(
            step=step,
            tokens=tokens * step // 4,
            train_flops=step * 10**9,
            seconds=step * 0.5,
            train_loss=loss + 4 - step if step else None,
            validation_loss=loss + 4 - step,
        )
        for step in range(5)
    ]


def make_record(trial: int, loss: float | None = 3.0, flops: int = 10**12, **changes: Any) -> TrialRecord:
    values: dict[str, Any] = {
        "trial": trial,
        "variant": f"variant-{trial}",
        "seed": 1,
        "status": Status.COMPLETE,
        "config": {"emb_dim": 64},
        "config_hash": f"hash-{trial}",
        "params": 1_230_000,
        "train_flops": flops,
        "memory_bytes": 512 * 2**20,
        "tokens": 1000,
        "steps": 4,
        "seconds": 12.5,
        "tokens_per_second": 80.0,
        "validation_loss": loss,
        "bits_per_byte": None if loss is None else loss / 2,
        "curve": [] if loss is None else make_curve(loss),
    }
    return TrialRecord(**{**values, **changes})


def make_failure(trial: int, status: Status, reason: str, **changes: Any) -> TrialRecord:
    nothing = dict.fromkeys(("train_flops", "memory_bytes", "seconds", "tokens_per_second"))
    return make_record(trial, None, **{**nothing, "status": status, "reason": reason, **changes})


def make_run(path: Path, records: list[TrialRecord], **asked: Any) -> RunFolder:
    run = RunFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    for record in records:
        run.write_record(record)
    experiment = {"name": "Width and depth", "objectives": ["validation_loss", "train_flops"], **asked}
    run.experiment.write_text(yaml.safe_dump(experiment))
    run.environment.write_text(json.dumps({"python": "3.11.7", "git": {"commit": "abc123"}}))
    return run


def mixed_records() -> list[TrialRecord]:
    """Front: 0 and 2. Dominated: 1. Then a duplicate, an infeasible one, and one that diverged."""
    return [
        make_record(0, 3.0, 4 * 10**12, parameters={"emb_dim": 128, "attention.kind": "grouped_query"}),
        make_record(1, 3.4, 2 * 10**12, parameters={"emb_dim": 96, "attention.kind": "multi_head"}),
        make_record(2, 3.2, 10**12, parameters={"emb_dim": 64, "attention.kind": "multi_head"}),
        make_record(
            3,
            3.0,
            4 * 10**12,
            status=Status.DUPLICATE,
            reason="same as trial 0",
            config_hash="hash-0",
            parameters={"emb_dim": 128, "attention.kind": "grouped_query"},
        ),
        make_failure(4, Status.INFEASIBLE, "breaks params <= 1000000", parameters={"emb_dim": 512}),
        make_failure(5, Status.DIVERGED, "the loss became NaN at step 3", parameters={"emb_dim": 256}),
    ]
