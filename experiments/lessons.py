"""What a search has learnt about each field, read back without the packages that worked it out."""

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "field": "string",
    "value": "object",
    "architectures": "Int64",
    "effect": "float64",
    "effect_low": "float64",
    "effect_high": "float64",
}


def lessons_table(source: RunFolder | Path | str) -> "pd.DataFrame":
    """One row a value of a searched field, the field with the largest sure effect first.

    `effect` is the validation loss with that value less the usual one, in nats per token, at equal training
    FLOPs, with its 95 % interval `effect_low` and `effect_high`; `architectures` have the value. How it is
    worked out: `experiments.search.lessons.learn`.

    Args:
        source: A run folder, or its path; without lessons, as that of a comparison, there are no rows.
    """
    import pandas as pd

    run = source if isinstance(source, RunFolder) else RunFolder(Path(source))
    rows = [
        (
            told["field"],
            value["value"],
            value["architectures"],
            value["effect"],
            value["low"],
            value["high"],
        )
        for told in run.load_json(run.lessons).get("fields", [])
        for value in told["values"]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
