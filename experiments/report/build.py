"""A run folder read into what its report says."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.asked import load_asked, load_objectives
from experiments.lessons import lessons_table
from experiments.masking import mask_secrets
from experiments.rank_table import rank_stability_table
from experiments.record import TrialRecord
from experiments.report.answer import write_answer
from experiments.report.budget import describe_budget, find_rungs
from experiments.report.certainty import describe_certainty
from experiments.report.content import Report, Section
from experiments.report.conventions import CONVENTIONS
from experiments.report.figures import draw_pictures
from experiments.report.lessons import lessons_section
from experiments.report.ranks import ranks_section
from experiments.report.rows import front_rows, trial_rows, troubled_rows
from experiments.report.setup import declared_yaml, describe_setup, describe_trained, group_facts
from experiments.report.speed import speed_remarks, speed_rows
from experiments.report.stopping import stopping_section
from experiments.run_folder import RunFolder
from experiments.stopping_table import stopping_table
from experiments.tables import curves_table, summary_table, trials_table
from experiments.units import plural

FEW_TRIALS = 50
IMPORTANCE = (
    "The share of the differences between trials, in one objective, that goes with one of the chosen values: "
    "an estimate fitted to these trials. It says how much a value mattered within this space, not in which "
    "direction, and nothing about other spaces."
)


def build_report(run: RunFolder) -> Report:
    """Read a run and work out all that its report says.

    Raises:
        ValueError: experiment.yaml or a record cannot be read, or an objective is not known.
    """
    asked, objectives = load_asked(run), load_objectives(run)
    records = run.load_records()
    trials = trials_table(records, objectives)
    summary = summary_table(trials, objectives)
    importances = run.load_json(run.importances)
    return Report(
        title=" ".join(str(asked.get("name") or run.path.resolve().name).split()),
        description=_paragraphs(str(asked.get("description") or "")),
        answer=write_answer(trials, summary, objectives).strip(),
        budget=describe_budget(asked),
        setup=[*describe_setup({**asked, "objectives": objectives}), *describe_trained(trials)],
        declared=declared_yaml(asked),
        front=front_rows(summary, objectives),
        trials=trial_rows(trials),
        troubled=troubled_rows(trials),
        speed=speed_rows(summary),
        speed_remarks=speed_remarks(summary),
        pictures=draw_pictures(trials, curves_table(records), summary, importances, objectives),
        importances=_importance_remarks(importances, len(summary)),
        sections=_sections(run, records, asked, objectives),
        certainty=describe_certainty(trials, summary),
        conventions=CONVENTIONS,
        environment=group_facts(mask_secrets(run.load_json(run.environment))),
        audited=run.audit.is_file(),
    )


def _sections(
    run: RunFolder, records: Sequence[TrialRecord], asked: dict[str, Any], objectives: Sequence[str]
) -> list[Section]:
    """What a search has learnt; a section that has nothing to tell is left out."""
    stopped = stopping_table(records, objectives)
    sections = (
        lessons_section(run.load_json(run.lessons), lessons_table(run)),
        ranks_section(rank_stability_table(records), len(stopped), find_rungs(asked)),
        stopping_section(records, stopped, asked),
    )
    return [section for section in sections if section is not None]


def _paragraphs(text: str) -> list[str]:
    blocks = text.replace("\r\n", "\n").split("\n\n")
    return [" ".join(block.split()) for block in blocks if block.strip()]


def _importance_remarks(importances: Mapping[str, Any], architectures: int) -> list[str]:
    if not importances:
        return []
    if architectures >= FEW_TRIALS:
        return [IMPORTANCE]
    return [IMPORTANCE, f"They rest on {plural(architectures, 'architecture')}; so few make them unsure."]
