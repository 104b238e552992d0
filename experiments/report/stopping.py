"""What was stopped early, what that saved, and whether it was right."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.labels import chosen_values
from experiments.record import Purpose, Status, TrialRecord
from experiments.report.budget import describe_rule
from experiments.report.content import Cell, Column, Section, Table, number_cell
from experiments.spending import flops_spent
from experiments.tables import trials_table
from experiments.units import format_flops, is_missing, plural

if TYPE_CHECKING:
    import pandas as pd

MISTAKE = (
    "A mistake is a stopped training whose architecture, trained to its end, is on the front of the losses "
    "that the search saw."
)
HEADS = {
    "stopped_loss": "loss there",
    "predicted_loss": "predicted",
    "optimistic_loss": "optimistic",
    "final_loss": "final loss",
    "train_flops": "spent",
    "flops_saved": "saved",
}


def stopping_section(
    records: Sequence[TrialRecord], stopped: "pd.DataFrame", asked: Mapping[str, Any]
) -> Section | None:
    """The section on early stopping; None where nothing was stopped, nor was to be.

    Args:
        records: Of the run.
        stopped: From `experiments.stopping_table.stopping_table`.
        asked: The resolved experiment.
    """
    rule = describe_rule(asked)
    if stopped.empty:
        remarks = [f"{rule} It stopped none."] if rule else []
    else:
        remarks = [f"{rule} {_saved(records, stopped)}".strip(), *_checks(records, stopped)]
        remarks += [*_taken_up(stopped), *_calibration(stopped, asked)]
    return Section("stopped", "Stopped early", remarks, _rows(records, stopped)) if remarks else None


def most_mistakes(mistakes: int, checked: int) -> float:
    """The largest share of mistakes that goes with so many among those checked, with 95 % confidence.

    Source: Clopper and Pearson 1934, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the
        Binomial", Biometrika 26.
    """
    from scipy.stats import beta

    return 1.0 if mistakes == checked else float(beta.ppf(0.95, mistakes + 1, checked - mistakes))


def _saved(records: Sequence[TrialRecord], stopped: "pd.DataFrame") -> str:
    searched = [
        record
        for record in records
        if record.purpose is Purpose.SEARCH and record.was_trained and record.continues is None
    ]
    saved, spent = float(stopped["flops_saved"].sum()), flops_spent(records)
    was = "was" if len(stopped) == 1 else "were"
    text = f"Of {plural(len(searched), 'training')} of the search, {len(stopped)} {was} stopped early."
    if not saved:
        return text
    return (
        f"{text} That saved {format_flops(saved)}, {saved / (saved + spent):.0%} of the training FLOPs that "
        "the whole run would have taken without it."
    )


def _checks(records: Sequence[TrialRecord], stopped: "pd.DataFrame") -> list[str]:
    checked = stopped[(stopped["continued_for"] == Purpose.CHECK.value).fillna(False)]
    known = checked[checked["is_mistake"].notna()]
    if known.empty:
        return ["None was trained to its end to check the rule: how often it was wrong is not known."]
    mistakes = int(known["is_mistake"].sum())
    spent = flops_spent(record for record in records if record.purpose is Purpose.CHECK)
    spent -= float(checked["train_flops"].sum())
    verdict = "none was a mistake" if not mistakes else f"{mistakes} of them proved to be a mistake"
    return [
        f"{MISTAKE} Of those stopped, {plural(len(known), 'training')} drawn by lot "
        f"{'was' if len(known) == 1 else 'were'} trained to the end, for another {format_flops(spent)}: "
        f"{verdict}. So the rule is wrong in at most {most_mistakes(mistakes, len(known)):.0%} of cases "
        "(95 % confidence)."
    ]


def _taken_up(stopped: "pd.DataFrame") -> list[str]:
    again = stopped[(stopped["continued_for"] == Purpose.SEARCH.value).fillna(False)]
    if again.empty:
        return []
    reached = int(again["is_mistake"].fillna(False).sum())
    return [
        f"The search itself took up {plural(len(again), 'stopped training')} again, from where it had been "
        f"left; {reached or 'none'} reached the front."
    ]


def _calibration(stopped: "pd.DataFrame", asked: Mapping[str, Any]) -> list[str]:
    known = stopped[stopped["is_miscalibrated"].notna()]
    if known.empty:
        return []
    below = int(known["is_miscalibrated"].sum())
    try:
        confidence = float(asked["search"]["stopping"]["confidence"])
        expected = f"; at {confidence:.0%} confidence {1 - confidence:.0%} are to be expected"
    except (KeyError, TypeError, ValueError):
        expected = ""
    return [
        f"Of {len(known)} whose final loss is known, {below or 'none'} ended below the optimistic view of it"
        f"{expected}."
    ]


def _rows(records: Sequence[TrialRecord], stopped: "pd.DataFrame") -> Table:
    trials = trials_table(records)
    trials = trials[trials["status"] == Status.STOPPED]
    numbers = [name for name in HEADS if stopped[name].notna().any()]
    ends = bool(stopped["continued_by"].notna().any())
    columns = [Column("variant"), Column("chosen"), Column("stopped at", numeric=True)]
    columns += [Column(HEADS[name], numeric=True) for name in numbers]
    columns += [Column("taken up by"), Column("mistake"), Column("below optimistic")] if ends else []
    rows = []
    for chosen, (_, row) in zip(chosen_values(trials), stopped.iterrows(), strict=True):
        cells = [Cell(str(row["name"])), Cell(chosen), _share(row["stopped_at"])]
        cells += [number_cell(name, row[name]) for name in numbers]
        if ends:
            taken = "" if is_missing(row["continued_by"]) else f"trial {row['continued_by']}"
            taken += f" ({row['continued_for']})" if taken else ""
            cells += [Cell(taken), _yes(row["is_mistake"]), _yes(row["is_miscalibrated"])]
        rows.append(cells)
    return Table(columns, rows)


def _share(value: Any) -> Cell:
    return Cell("–") if is_missing(value) else Cell(f"{value:.0%}", str(value), float(value))


def _yes(value: Any) -> Cell:
    return Cell("–" if is_missing(value) else "yes" if value else "no")
