"""The command that looks at an experiment before it is run."""

from typing import Annotated

import typer

from experiments.cli.options import Out, Overrides, TableOrJson, output_console


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit)


def audit(
    experiment: Annotated[
        str, typer.Argument(help="Experiment with a space or variants: a shipped name, or a file.")
    ],
    overrides: Overrides = None,
    points: Annotated[
        int, typer.Option(help="The most points that are looked at; of a larger space so many are drawn.")
    ] = 100_000,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    output: Annotated[TableOrJson, typer.Option("--format", help="How it is told here.")] = TableOrJson.TABLE,
    measure: Annotated[
        bool, typer.Option(help="Train a few points for a moment, to tell how long the search will take.")
    ] = True,
    out: Out = None,
) -> None:
    """Tell what a search holds before anything is trained: valid and infeasible points, costs, time."""
    import json

    from experiments.audit.run import MEASURE_SECONDS, run_audit, write_audit
    from experiments.audit.terminal import render_audit
    from experiments.cli.progress import TerminalProgress
    from experiments.loading import load_experiment

    declared = load_experiment(experiment, overrides or ())
    with TerminalProgress() as progress:
        made = run_audit(declared, points, seed, MEASURE_SECONDS if measure else None, progress)
    page = write_audit(made, out)
    if output is TableOrJson.JSON:
        typer.echo(json.dumps(made.to_data(), indent=1))
    else:
        render_audit(made, output_console())
    typer.echo(f"Audit: {page}", err=output is TableOrJson.JSON)
