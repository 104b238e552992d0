"""The tables of a run by name, written for people or for programs."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from experiments.costs.written import write_table
from experiments.lessons import lessons_table
from experiments.objectives import OBJECTIVES
from experiments.rank_table import rank_stability_table
from experiments.run_folder import RunFolder
from experiments.stopping_table import stopping_table
from experiments.tables import curves_table, summary_table, trials_table, without_formulas
from experiments.units import MISSING, format_exact, format_value, is_missing

if TYPE_CHECKING:
    import pandas as pd

TABLES: "dict[str, Callable[[RunFolder], pd.DataFrame]]" = {
    "trials": trials_table,
    "curves": curves_table,
    "summary": summary_table,
    "stopping": stopping_table,
    "ranks": rank_stability_table,
    "lessons": lessons_table,
}
UNITS = ("bytes", "flops", "seconds", "loss", "_share", "mfu")
"""Parts of a column's name that tell how its numbers are written; other objectives are counts."""
SHARES = ("share", "stopped_at", "best_fifth")


def write_run_table(run: RunFolder, name: str, output: str) -> str:
    """A table of a run as text that ends with a line break.

    Args:
        run: Finished or not.
        name: In `TABLES`.
        output: `table` for people, without the columns that say nothing; `json`, a list of objects, or `csv`,
            both with all columns and every digit.

    Raises:
        ValueError: the run cannot be read.
    """
    table = TABLES[name](run)
    if output == "csv":
        text: str = without_formulas(table).to_csv(index=False)
        return text
    if output == "json":
        rows = [
            {str(key): _plain(value) for key, value in row.items()} for row in table.to_dict(orient="records")
        ]
        return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    if table.empty:
        return f"The table {name} of this run has no rows.\n"
    told = [str(column) for column in table if table[column].notna().any()]
    numeric = set(table.select_dtypes("number").columns)
    cells = [[_cell(column, row[column]) for column in told] for _, row in table.iterrows()]
    align = ["right" if column in numeric else "left" for column in told]
    return write_table(cells, told, align, "table") + "\n"


def _cell(name: str, value: Any) -> str:
    if is_missing(value):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if name in SHARES:
        return f"{value:.0%}"
    if name in OBJECTIVES or any(unit in name for unit in UNITS):
        return format_value(name, value)
    return f"{value:.4g}" if isinstance(value, float) else format_exact(value)


def _plain(value: Any) -> Any:
    """A cell as JSON has it: what is missing is null."""
    if is_missing(value):
        return None
    return value.item() if hasattr(value, "item") else value
