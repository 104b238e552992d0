"""What early stopping saved, and where it was wrong."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from experiments.labels import name_rows
from experiments.record import Status, TrialRecord
from experiments.tables import Source, read_source, summary_table, trials_table

if TYPE_CHECKING:
    import pandas as pd

DTYPES = {
    "trial": "Int64",
    "name": "string",
    "seed": "Int64",
    "stopped_at": "float64",
    "stopped_loss": "float64",
    "predicted_loss": "float64",
    "optimistic_loss": "float64",
    "continued_by": "Int64",
    "continued_for": "string",
    "final_loss": "float64",
    "is_mistake": "boolean",
    "is_miscalibrated": "boolean",
    "train_flops": "float64",
    "flops_saved": "float64",
}


def stopping_table(source: Source, objectives: Sequence[str] | None = None) -> "pd.DataFrame":
    """One row a training that was stopped, in the order of trials and seeds. Losses are in nats per token.

    `stopped_loss` is the validation loss at the rung where it was stopped, after the share `stopped_at` of
    its budget; `predicted_loss` and `optimistic_loss` are what the rule foretold, where it foretells
    anything. `continued_by` is the trial that took it up, `continued_for` its purpose, `final_loss` the loss
    at the end of that, missing where it was never trained to the end.

    `is_mistake`: its architecture is on the front of the losses that the search saw, confirmations left out:
    as the rule judged it, one training against another. `is_miscalibrated`: it ended below the optimistic
    loss. Both are missing where the end is not known.

    `train_flops` were spent until it was stopped. `flops_saved` are those that the rest of its budget would
    have cost; none where another trial took it up.

    Args:
        source: A run folder, its path, or records.
        objectives: What the front is about; those of the experiment for a run folder.

    Raises:
        ValueError: an objective is not known.
    """
    import pandas as pd

    records, asked = read_source(source)
    summary = summary_table(records, objectives or asked)
    front = set(summary["config_hash"][summary["was_on_front"]])
    names = name_rows(trials_table(records, objectives or asked))
    rows = [
        {"name": name, **_describe(record, list(_following(record, records)), front)}
        for name, record in zip(names, records, strict=True)
        if record.status is Status.STOPPED
    ]
    columns = {name: pd.Series([row[name] for row in rows], dtype=dtype) for name, dtype in DTYPES.items()}
    return pd.DataFrame(columns)


def _following(record: TrialRecord, records: Sequence[TrialRecord]) -> Iterator[TrialRecord]:
    """The trainings that took up this one, each the one before it."""
    taken_up = {
        (other.continues, other.seed): other
        for other in records
        if other.continues is not None and other.status is not Status.DUPLICATE
    }
    seen = set()
    while (record.trial, record.seed) in taken_up and record.trial not in seen:
        seen.add(record.trial)
        record = taken_up[record.trial, record.seed]
        yield record


def _describe(record: TrialRecord, following: Sequence[TrialRecord], front: set[str]) -> dict[str, Any]:
    last = following[-1] if following else record
    final = last.validation_loss if last.status is Status.COMPLETE else None
    optimistic = record.optimistic_loss
    known = {name: getattr(record, name) for name in DTYPES if name in TrialRecord.model_fields}
    return {
        **known,
        "stopped_loss": record.curve[-1].validation_loss if record.curve else None,
        "continued_by": following[0].trial if following else None,
        "continued_for": following[0].purpose.value if following else None,
        "final_loss": final,
        "is_mistake": None if final is None else record.config_hash in front,
        "is_miscalibrated": None if final is None or optimistic is None else final < optimistic,
        "flops_saved": 0.0 if following else _flops_left(record),
    }


def _flops_left(record: TrialRecord) -> float | None:
    """Of the budget of a stopped training."""
    if record.train_flops is None or not record.stopped_at:
        return None
    return record.train_flops / record.stopped_at - record.train_flops
