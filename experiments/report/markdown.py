"""The report as GitHub Markdown, with its pictures as files beside it."""

import re
from collections.abc import Sequence

from experiments.report.content import Facts, Report, Section, Table
from experiments.report.svg import Picture

SPECIAL = re.compile(r"([\\`*~$|\[\]])")
# Within a word GitHub takes an underscore as it is, and key paths stay readable.
OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# What GitHub takes for a heading, a list, or an underline where a line starts with it.
LINE_START = re.compile(r"^(?=#{1,6}(\s|$)|[+-](\s|$)|[=-]+$)|^(?P<number>\d{1,9})(?=[.)](\s|$))")


def render_markdown(report: Report) -> dict[str, str]:
    """The page and its pictures, by their paths in the run folder."""
    drawn = report.pictures
    sections = [
        f"# {escape(report.title)}",
        *map(paragraph, report.description),
        f"**{escape(report.answer)}**",
        *(["[The audit before training](audit.html)"] if report.audited else []),
        "## The front",
        *_front(report),
        *(["## Learning curves", _pictures(drawn.curves)] if drawn.curves else []),
        *_importances(report),
        *(text for section in report.sections for text in _section(section)),
        *_speed(report),
        "## All trials",
        _table(report.trials) if report.trials.rows else "None has ended yet.",
        *(["## Not completed", _table(report.troubled)] if report.troubled.rows else []),
        "## How sure this is",
        *map(paragraph, report.certainty),
        "## What was run, and how",
        *map(paragraph, report.budget),
        *_facts(report.setup),
        *([_fenced(report.declared)] if report.declared else []),
        "## What the numbers mean",
        "\n".join(f"- **{escape(term)}**: {escape(meaning)}" for term, meaning in report.conventions),
        "## Environment",
        *(_facts(report.environment) or ["Not recorded."]),
    ]
    files = {"report.md": "\n\n".join(sections) + "\n"}
    learnt = [picture for section in report.sections for picture in section.pictures]
    for picture in (*drawn.front, *drawn.curves, *drawn.importances, *learnt, *drawn.speed):
        files[_path(picture)] = picture.svg
    return files


def escape(text: str) -> str:
    """Text that GitHub shows as it is: no markup, no HTML, no math, one line."""
    text = " ".join(text.split())
    text = SPECIAL.sub(r"\\\1", text.replace("&", "&amp;"))
    text = OUTER_UNDERSCORE.sub(r"\\_", text)
    return text.replace("<", "&lt;").replace(">", "&gt;")


def paragraph(text: str) -> str:
    """Escaped text that stays a paragraph at the start of a line, whatever it starts with."""
    return LINE_START.sub(lambda found: f"{found['number'] or ''}\\", escape(text), count=1)


def _front(report: Report) -> list[str]:
    if not report.front.rows:
        return ["No variant is on the front: that takes a completed training with every objective recorded."]
    drawn = report.pictures.front
    remark = (
        "Blue points are on the front of all objectives of the run together. The line is the lowest "
        "loss to be had for each cost alone."
    )
    return [_table(report.front), *([remark, _pictures(drawn)] if drawn else [])]


def _importances(report: Report) -> list[str]:
    if not report.importances:
        return []
    return ["## What mattered", *map(paragraph, report.importances), _pictures(report.pictures.importances)]


def _section(section: Section) -> list[str]:
    drawn = [_pictures(section.pictures)] if section.pictures else []
    rows = [_table(section.table)] if section.table.rows else []
    return [f"## {section.title}", *map(paragraph, section.remarks), *drawn, *rows]


def _speed(report: Report) -> list[str]:
    if not report.speed.rows:
        return []
    drawn = report.pictures.speed
    shown = [_table(report.speed), *([_pictures(drawn)] if drawn else [])]
    return ["## Speed", *map(paragraph, report.speed_remarks), *shown]


def _pictures(pictures: Sequence[Picture]) -> str:
    return "\n".join(f"![{escape(picture.description)}]({_path(picture)})" for picture in pictures)


def _path(picture: Picture) -> str:
    return f"figures/{picture.name}.svg"


def _table(table: Table) -> str:
    marks = bool(table.marked)
    heads = [*([""] if marks else []), *(escape(column.title) for column in table.columns)]
    rules = [*(["---"] if marks else []), *("---:" if column.numeric else "---" for column in table.columns)]
    rows = [
        [*(["●" if index in table.marked else ""] if marks else []), *(escape(cell.text) for cell in row)]
        for index, row in enumerate(table.rows)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rules, *rows))


def _facts(groups: list[Facts]) -> list[str]:
    texts = []
    for group in groups:
        heading = [f"### {escape(group.heading.capitalize())}"] if group.heading else []
        lines = "\n".join(f"- {escape(key)}: {escape(value)}" for key, value in group.pairs)
        texts += [*heading, *([lines] if lines else [])]
    return texts


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    shown = f"{fence}yaml\n{text.rstrip()}\n{fence}"
    return f"<details><summary>The variants or the space, as declared</summary>\n\n{shown}\n\n</details>"
