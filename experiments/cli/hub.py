"""Commands between our models and folders of the Hugging Face hub: import, export."""

from pathlib import Path
from typing import Annotated

import typer

from experiments.printable import printable

Force = Annotated[bool, typer.Option("--force", help="Replace a model that is there already.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_from_hub)
    app.command("export")(export_for_hub)


def import_from_hub(
    source: Annotated[str, typer.Argument(help="Folder with config.json and safetensors, or owner/name.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write; imported/NAME unless given.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the variant.")] = None,
    force: Force = False,
) -> None:
    """Import a model of the Hugging Face hub: its variant, its weights, its tokenizer. Nothing is unpickled.

    Of a folder without weights the variant alone.
    """
    from experiments.hub import import_model

    for line in import_model(source, out, name, force=force):
        typer.echo(printable(line))


def export_for_hub(
    source: Annotated[Path, typer.Argument(help="Checkpoint, or run folder with weights.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    family: Annotated[
        str | None, typer.Option(help="Kind of model, as gpt2 or llama; the first that fits unless given.")
    ] = None,
    trial: Annotated[int | None, typer.Option(help="Trial of the run; its best unless given.")] = None,
    force: Force = False,
) -> None:
    """Export a model as a folder that `transformers` loads, where the variant is expressible there."""
    from experiments.hub import export_model
    from experiments.text import find_weights

    for line in export_model(find_weights(source, trial), out, family, force=force):
        typer.echo(printable(line))
