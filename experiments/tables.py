"""The tables of a run: one row a training, one row a point of a curve, one row an architecture."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from experiments.asked import load_objectives
from experiments.front import at_best_settings, mark_front, mean_over_seeds, rows_to_judge_by
from experiments.masking import mask_text
from experiments.objectives import DEFAULT_OBJECTIVES, OBJECTIVES, find_objective
from experiments.record import SPEED_FIELDS, CurvePoint, Purpose, Status, TrialRecord
from experiments.run_folder import RunFolder, write_atomically
from registry.costing.table import PARAMETER

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.typing import DataFrameGroupBy

Source = RunFolder | Path | str | Sequence[TrialRecord]

NOT_SCALAR = ("config", "parameters", "curve", "learning_rates")
# What a spreadsheet would run as a formula, or skip on the way to one.
FORMULA = r"^(?=\s*[=+\-@]|[\t\r\n])"


def trials_table(source: Source, objectives: Sequence[str] | None = None) -> "pd.DataFrame":
    """One row a record, in the order of trials and seeds.

    FLOPs are floats, because training counts outgrow 64-bit integers; other counts are nullable integers. The
    chosen values of a search are columns `parameters.<key path>`: numbers where all are, else text, with
    structures and null as JSON. `on_front` marks the architectures that nothing dominates.

    Args:
        source: A run folder, its path, or records.
        objectives: What the front is about; those of the experiment for a run folder.

    Raises:
        ValueError: an objective is not known.
    """
    import pandas as pd

    records, asked = read_source(source)
    fields = {name: field.annotation for name, field in TrialRecord.model_fields.items()}
    columns = {
        name: pd.Series([getattr(record, name) for record in records], dtype=_dtype(name, annotation))
        for name, annotation in fields.items()
        if name not in NOT_SCALAR
    }
    columns["reason"] = pd.Series([mask_text(record.reason) for record in records], dtype="string")
    for name in ("status", "purpose"):
        columns[name] = pd.Series([getattr(record, name).value for record in records], dtype="string")
    for path in dict.fromkeys(path for record in records for path in record.parameters):
        columns[PARAMETER + path] = _parameter_column(records, path)
    table = pd.DataFrame(columns)
    table["on_front"] = mark_front(table, objectives or asked)
    return table


def curves_table(source: Source) -> "pd.DataFrame":
    """One row a point of a learning curve: trial, variant, seed, what was spent, the losses."""
    import pandas as pd

    records, _ = read_source(source)
    points = [(record, point) for record in records for point in record.curve]
    columns = {
        name: pd.Series([getattr(record, name) for record, _ in points], dtype=dtype)
        for name, dtype in (("trial", "Int64"), ("variant", "string"), ("seed", "Int64"))
    }
    for name, field in CurvePoint.model_fields.items():
        dtype = _dtype(name, field.annotation)
        columns[name] = pd.Series([getattr(point, name) for _, point in points], dtype=dtype)
    return pd.DataFrame(columns)


def summary_table(source: "Source | pd.DataFrame", objectives: Sequence[str] | None = None) -> "pd.DataFrame":
    """One row an architecture that was trained to the end, the best in the first objective first.

    Recorded numbers are means over `n_seeds` seeds: those of its confirmations where it was confirmed, else
    those with which it was searched. `validation_loss_std` is the sample standard deviation over them,
    missing for a single seed. `searched_loss` and `confirmed_loss` (missing where there are no confirmations,
    of which there are `n_confirmed`) stand beside each other; `was_on_front` tells who would be on the front
    without any confirmation. `trial` and `variant` are those of its first training. Where settings of the
    training were searched too, all this is told of the settings with the lowest loss.

    Args:
        source: A run folder, its path, records, or a table of trials (whose `on_front` is kept).
        objectives: What the front is about; the rows are sorted by the first.
    """
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        trials, names = source, list(objectives or DEFAULT_OBJECTIVES)
    else:
        trials, names = trials_table(source, objectives), list(objectives or read_source(source)[1])
    complete = at_best_settings(trials[trials["status"] == Status.COMPLETE])
    complete = complete.drop_duplicates(["config_hash", "seed"])
    told = ["trial", "variant", "config_hash", *searched_columns(trials)]
    summary = _by_architecture(complete)[told].first()
    judged = rows_to_judge_by(complete)
    summary["n_seeds"] = _by_architecture(judged)["seed"].nunique().astype("Int64")
    summary["on_front"] = _by_architecture(complete)["on_front"].any().astype(bool)
    measured = [name for name in (*OBJECTIVES, "steps", *SPEED_FIELDS) if name in trials]
    summary = summary.join(mean_over_seeds(judged, measured))
    deviation = _by_architecture(judged)["validation_loss"].std().astype("float64")
    summary.insert(list(summary).index("validation_loss") + 1, "validation_loss_std", deviation)
    summary = summary.join(_before_and_after(complete, names))
    best_first = find_objective(names[0]).direction == "minimize"
    return summary.sort_values([names[0], "trial"], ascending=[best_first, True]).reset_index(drop=True)


def _before_and_after(complete: "pd.DataFrame", objectives: Sequence[str]) -> "pd.DataFrame":
    """Of each architecture the losses it was chosen by and confirmed with, and what the first alone say."""
    import pandas as pd

    confirms = complete["purpose"] == Purpose.CONFIRM
    searched = complete[~confirms]
    searched = searched.assign(on_front=mark_front(searched, objectives))
    architectures = list(dict.fromkeys(complete["config_hash"]))
    columns = {
        "searched_loss": mean_over_seeds(searched, ["validation_loss"])["validation_loss"],
        "confirmed_loss": mean_over_seeds(complete[confirms], ["validation_loss"])["validation_loss"],
        "n_confirmed": _by_architecture(complete[confirms])["seed"].nunique(),
        "was_on_front": _by_architecture(searched)["on_front"].any(),
    }
    kinds = {"searched_loss": "float64", "confirmed_loss": "float64", "n_confirmed": "Int64"}
    table = pd.DataFrame({name: column.reindex(architectures) for name, column in columns.items()})
    table["was_on_front"] = table["was_on_front"].eq(True)
    return table.astype(kinds).fillna({"n_confirmed": 0})


def _by_architecture(rows: "pd.DataFrame") -> "DataFrameGroupBy[str, Any]":
    return rows.groupby(rows["config_hash"].astype(object), sort=False)


def write_tables(run: RunFolder) -> list[Path]:
    """Write trials.parquet, trials.csv (for spreadsheets) and curves.parquet, each atomically."""
    trials, curves = trials_table(run), curves_table(run)
    contents = {
        "trials.parquet": _to_parquet(trials),
        "trials.csv": without_formulas(trials).to_csv(index=False).encode(),
        "curves.parquet": _to_parquet(curves),
    }
    for name, content in contents.items():
        write_atomically(run.path / name, content)
    return [run.path / name for name in contents]


def searched_columns(table: "pd.DataFrame") -> list[str]:
    """The columns of a table that hold what a search chose."""
    return [str(name) for name in table if str(name).startswith(PARAMETER)]


def without_formulas(table: "pd.DataFrame") -> "pd.DataFrame":
    """The table for a spreadsheet: text that one would take for a formula gets an apostrophe in front."""
    texts: list[str] = list(table.select_dtypes("string"))
    return table.assign(**{name: table[name].str.replace(FORMULA, "'", regex=True) for name in texts})


def read_source(source: Source) -> tuple[list[TrialRecord], list[str]]:
    """The records, and the names of the objectives asked for; the usual ones for bare records."""
    if isinstance(source, Path | str):
        source = RunFolder(Path(source))
    if isinstance(source, RunFolder):
        return source.load_records(), load_objectives(source)
    return list(source), list(DEFAULT_OBJECTIVES)


def _dtype(name: str, annotation: Any) -> Any:
    kinds = set(get_args(annotation) or (annotation,)) - {NoneType}
    if kinds == {int} and "flops" not in name:
        return "Int64"
    return "float64" if kinds <= {int, float} else "string"


def _parameter_column(records: Sequence[TrialRecord], path: str) -> "pd.Series[Any]":
    import pandas as pd

    chosen = [record.parameters[path] for record in records if path in record.parameters]
    kinds = {type(value) for value in chosen}
    for known, dtype in (({bool}, "boolean"), ({int}, "Int64"), ({int, float}, "Float64")):
        if kinds <= known:
            values = [record.parameters.get(path) for record in records]
            return pd.Series(values, dtype=dtype)
    texts: list[str | None] = [
        _as_text(record.parameters[path]) if path in record.parameters else None for record in records
    ]
    return pd.Series(texts, dtype="string")


def _as_text(value: Any) -> str:
    return mask_text(value if isinstance(value, str) else json.dumps(value, default=str))


def _to_parquet(table: "pd.DataFrame") -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
