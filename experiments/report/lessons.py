"""What was learnt about each searched field, at equal training FLOPs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.report.content import Cell, Column, Section, Table, text_cell
from experiments.report.lessons_figure import draw_lessons
from experiments.units import format_flops

if TYPE_CHECKING:
    import pandas as pd

MEANING = (
    "For each value of a field: the loss that a model of these trainings foretells, averaged over the "
    "architectures, each with that value and with its own training FLOPs, less the usual loss. Below 0 is "
    "better than usual. Equal FLOPs means that a value which makes models dearer is held against what as "
    "many FLOPs buy otherwise in this study: nothing is praised for what it costs."
)
BARS = (
    "Bars hold 95 %. They are wide where a field and FLOPs go together, so that these trainings cannot tell "
    "which of them the loss follows, and where a value was trained seldom. Averages include combinations "
    "that were not trained."
)


def lessons_section(learnt: Mapping[str, Any], lessons: "pd.DataFrame") -> Section | None:
    """The section on partial dependences; None for a run that worked none out.

    Args:
        learnt: lessons.json of a run, or nothing.
        lessons: From `experiments.lessons.lessons_table`.
    """
    note = str(learnt.get("note") or "")
    if lessons.empty and not note:
        return None
    remarks = [f"Nothing can be said yet: {note}."] if note else [MEANING, BARS, *_fit(learnt)]
    pictures = draw_lessons(lessons)
    return Section("lessons", "What was learnt about each field", remarks, _rows(lessons), pictures)


def _fit(learnt: Mapping[str, Any]) -> list[str]:
    """How far the model can be trusted, and what FLOPs alone are worth."""
    text = (
        f"The model is fitted to {learnt['architectures']} architectures. Each loss foretold from all the "
        f"others, it explains {max(float(learnt['explained']), 0.0):.0%} of the variance between them."
    )
    low, high = learnt["flops"]
    if learnt["doubling"] is None:
        return [f"{text} All spent about {format_flops(high)} of training."]
    return [
        f"{text} For comparison: from {format_flops(low)} to {format_flops(high)}, twice the training FLOPs "
        f"change the loss by {learnt['doubling']:+.3f} nats/token, whatever they are spent on."
    ]


def _rows(lessons: "pd.DataFrame") -> Table:
    columns = [Column("field"), Column("value"), Column("architectures", numeric=True)]
    columns += [Column("effect (nats/token)", numeric=True), Column("95 % interval", numeric=True)]
    rows = [
        [
            Cell(str(row["field"])),
            text_cell(row["value"]) if not isinstance(row["value"], bool) else Cell(str(row["value"])),
            Cell(str(row["architectures"]), order=float(row["architectures"])),
            Cell(f"{row['effect']:+.3f}", str(row["effect"]), float(row["effect"])),
            Cell(f"{row['effect_low']:+.3f} to {row['effect_high']:+.3f}", order=float(row["effect_low"])),
        ]
        for _, row in lessons.iterrows()
    ]
    return Table(columns, rows)
