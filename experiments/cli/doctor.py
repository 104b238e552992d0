"""The command that looks after the machine."""

from typing import Annotated

import typer

from experiments.cli.options import TableOrJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    again: Annotated[bool, typer.Option("--again", help="Measure anew what was measured before.")] = False,
    output: Annotated[TableOrJson, typer.Option("--format", help="How it is written.")] = TableOrJson.TABLE,
) -> None:
    """Check this machine, and measure its speed, once: `cost --device this` then estimates times on it, and
    trainings choose by it what `auto` means."""
    from experiments.cli.progress import TerminalProgress
    from experiments.doctor import examine, load_machine, measure_machine
    from experiments.doctor_table import render_health

    devices = [] if again else load_machine()
    if not devices:
        with TerminalProgress() as progress, progress.task("measuring this machine") as task:
            devices = measure_machine(task, again=again)
    typer.echo(render_health(examine(), devices, output.value), nl=False)
