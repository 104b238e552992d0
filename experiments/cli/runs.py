"""Commands that train, and what shows their results: train, search, compare, report, table."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.options import Out, Overrides, output_console

if TYPE_CHECKING:
    from experiments.experiment import Experiment
    from experiments.run_folder import RunFolder


class ReportFormat(StrEnum):
    """How a report is written."""

    HTML = "html"
    MARKDOWN = "markdown"


class RunTable(StrEnum):
    """A table of a run."""

    TRIALS = "trials"
    CURVES = "curves"
    SUMMARY = "summary"
    STOPPING = "stopping"
    RANKS = "ranks"
    LESSONS = "lessons"


class TableFormat(StrEnum):
    """How such a table is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("train")(train)
    app.command("search")(search)
    app.command("compare")(compare)
    app.command("report")(report)
    app.command("table")(table)


Setting = Annotated[
    str,
    typer.Option(
        "--experiment", "-e", help="Experiment with the data, training and budget: a name or a file."
    ),
]


def train(
    variant: Annotated[str, typer.Argument(help="Name in the catalog, or a file.")],
    experiment: Setting = "compare",
    overrides: Overrides = None,
    out: Out = None,
) -> None:
    """Train one variant and keep its weights, for `gpt-zoo generate`. Called again, it goes on."""
    from experiments.loading import load_experiment
    from experiments.run_folder import RUNS

    keep = ["training.save_weights=true", *(overrides or ())]
    declared = load_experiment(experiment, keep, variants=[variant])
    _compare(declared, out or RUNS / f"train-{declared.variants[0].name}")


def compare(
    variants: Annotated[list[str] | None, typer.Argument(help="Names in the catalog, or files.")] = None,
    experiment: Setting = "compare",
    overrides: Overrides = None,
    out: Out = None,
) -> None:
    """Train several variants under one budget and compare them. Called again, it goes on.

    Without variants, those that the experiment names. More seeds: --set 'seeds=[0, 1, 2]'.
    """
    from experiments.loading import load_experiment
    from experiments.run_folder import RUNS

    declared = load_experiment(experiment, overrides or (), variants=variants or None)
    name = declared.config.name
    if variants:
        name = "-".join([name, *(variant.name for variant in declared.variants)])
    _compare(declared, out or RUNS / name[:100])


def search(
    experiment: Annotated[str, typer.Argument(help="Experiment with a space: a shipped name, or a file.")],
    overrides: Overrides = None,
    out: Out = None,
    storage: Annotated[
        str | None, typer.Option(help="Optuna storage URL; a file in the run folder unless given.")
    ] = None,
) -> None:
    """Search a space of variants. Called again, it goes on: finished trials count."""
    from experiments.cli.progress import TerminalProgress
    from experiments.loading import load_experiment
    from experiments.search import run_search

    declared = load_experiment(
        experiment, [*(overrides or ()), *([f"search.storage={storage}"] if storage else [])]
    )
    with TerminalProgress() as progress:
        run = run_search(declared, out, progress)
    _show(run.path)


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    formats: Annotated[
        list[ReportFormat] | None,
        typer.Option("--format", help="Which reports are written; all unless given."),
    ] = None,
) -> None:
    """Show the results of a run, finished or not, and write its tables and reports anew."""
    from experiments.report import render_report
    from experiments.tables import write_tables

    folder = _find_run(run)
    write_tables(folder)
    render_report(folder, [name.value for name in formats] if formats else None)
    _show(run)


def table(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    what: Annotated[
        RunTable,
        typer.Option(
            help="trials: a row a training; curves: a row a point of one; summary: a row an architecture; "
            "stopping: what was stopped early, and whether that was right; ranks: how early the ranking "
            "shows; lessons: what each searched field does to the loss at equal training FLOPs."
        ),
    ] = RunTable.SUMMARY,
    output: Annotated[TableFormat, typer.Option("--format", help="How it is written.")] = TableFormat.TABLE,
) -> None:
    """Write a table of a run, finished or not."""
    from experiments.written_tables import write_run_table

    typer.echo(write_run_table(_find_run(run), what.value, output.value), nl=False)


def _find_run(path: Path) -> "RunFolder":
    from experiments.run_folder import RunFolder

    run = RunFolder(path)
    if not run.experiment.is_file():
        raise ValueError(f"{path} is no run folder: it holds no {run.experiment.name}")
    return run


def _compare(declared: "Experiment", folder: Path) -> None:
    from experiments.cli.progress import TerminalProgress
    from experiments.comparison import run_comparison

    with TerminalProgress() as progress:
        run_comparison(declared, folder, progress)
    _show(folder)


def _show(folder: Path) -> None:
    """Print trials and front; the end is a failure if nothing could be trained."""
    from experiments.tables import summary_table, trials_table
    from experiments.terminal import render_front, render_trials

    console = output_console()
    trials = trials_table(folder)
    console.print("Trials", style="bold")
    render_trials(trials, console)
    console.print("Front", style="bold")
    render_front(summary_table(folder), console)
    for file in sorted(folder.glob("report.*")):
        console.print(f"Report: {file}", soft_wrap=True, highlight=False, markup=False)
    if len(trials) and not (trials["status"] == "complete").any():
        typer.echo("error: no trial was completed; the table says why", err=True)
        raise typer.Exit(1)
