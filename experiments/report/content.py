"""What a report says, whatever it is written in: plain text, tables and pictures. Each format escapes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.report.figures import Pictures
from experiments.report.svg import Picture
from experiments.units import format_exact, format_value, is_missing


@dataclass(frozen=True)
class Cell:
    """One value of a table.

    Args:
        text: As people read it.
        exact: As it was recorded, where that says more.
        order: What a column is sorted by: a number, or the text where it is None.
    """

    text: str
    exact: str = ""
    order: float | None = None


@dataclass(frozen=True)
class Column:
    """A head of a table, and whether numbers stand under it."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells; those of `marked` stand on the front."""

    columns: list[Column]
    rows: list[list[Cell]]
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Facts:
    """Key paths and values under one heading."""

    heading: str
    pairs: list[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A part of a report that only some runs have.

    Args:
        name: For links to it.
        title: Its heading.
        remarks: What it says, in paragraphs.
        table: The numbers; may have no rows.
        pictures: Figures.
        wide: Whether these are as wide as the page.
    """

    name: str
    title: str
    remarks: list[str]
    table: Table
    pictures: Sequence[Picture] = ()
    wide: bool = False


@dataclass(frozen=True)
class Report:
    """All of a report. Texts come from users in part: a format must escape every one of them.

    Args:
        title: Name of the experiment.
        description: Its paragraphs.
        answer: What was found, in sentences.
        budget: What was spent on each variant, what ended a search, in paragraphs.
        setup: What was run and how.
        declared: The variants or the space as YAML; empty where nothing says.
        front: One row an architecture on the front.
        trials: One row a training.
        troubled: The trainings that were not completed, with reasons.
        speed: One row an architecture, how fast it was trained.
        speed_remarks: What that table needs to be read.
        pictures: Figures by section.
        importances: Remarks on what the importances mean; empty without importances.
        sections: What a search has learnt: about each field, about early losses, about stopping.
        certainty: How sure all this is, in paragraphs.
        conventions: Each number and what it means.
        environment: Where it was run.
        audited: Whether the page of an audit lies beside it.
    """

    title: str
    description: list[str]
    answer: str
    budget: list[str]
    setup: list[Facts]
    declared: str
    front: Table
    trials: Table
    troubled: Table
    speed: Table
    speed_remarks: list[str]
    pictures: Pictures
    importances: list[str]
    sections: list[Section]
    certainty: list[str]
    conventions: Sequence[tuple[str, str]]
    environment: list[Facts]
    audited: bool = False


def number_cell(name: str, value: Any) -> Cell:
    """A recorded number in its unit, with the exact one behind it."""
    if is_missing(value):
        return Cell(format_value(name, value))
    return Cell(format_value(name, value), format_exact(value), float(value))


def text_cell(value: Any) -> Cell:
    """A text or a chosen value; numbers among them sort as numbers."""
    if is_missing(value):
        return Cell("")
    if isinstance(value, str):
        return Cell(value)
    return Cell(f"{value:.4g}" if isinstance(value, float) else str(value), format_exact(value), float(value))
