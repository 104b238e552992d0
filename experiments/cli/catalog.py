"""Commands about what is declared: show, validate, schema, diff.

None of them loads torch, but for `show --summary`, which builds the model.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from experiments.cli.options import Overrides
from experiments.printable import printable


class DiffFormat(StrEnum):
    """How differences are written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class Schema(StrEnum):
    """What a JSON Schema describes."""

    VARIANT = "variant"
    SPACE = "space"
    EXPERIMENT = "experiment"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("show")(show)
    app.command("validate")(validate)
    app.command("schema")(schema)
    app.command("diff")(diff)


def show(
    variant: Annotated[str, typer.Argument(help="Name in the catalog, or a file.")],
    overrides: Overrides = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Show the modules with shapes, parameters, FLOPs.")
    ] = False,
    depth: Annotated[
        int | None, typer.Option(min=0, help="How far the summary goes into the model; all the way.")
    ] = None,
) -> None:
    """Show a variant as YAML, with all that it extends and every default, or as a tree of modules."""
    import registry
    from experiments.experiment import declared_data
    from registry.yaml_dump import dump_document

    loaded = registry.load_variant(variant, overrides or ())
    if summary:
        from experiments.summary_table import render_summary
        from gpt_zoo.measure.summary import summarize

        typer.echo(
            render_summary(summarize(loaded.config, depth=depth), loaded.config.context_length), nl=False
        )
    elif depth is not None:
        raise ValueError("`--depth` is for the tree of modules; give --summary too")
    else:
        typer.echo(dump_document(declared_data(loaded)), nl=False)


def validate(files: Annotated[list[Path], typer.Argument(help="Variants, spaces or experiments.")]) -> None:
    """Check files, and say what each declares or what is wrong with it."""
    from experiments.validation import describe_file
    from registry.errors import DeclarationError

    wrong = 0
    for file in files:
        try:
            typer.echo(printable(f"{file}: {describe_file(file)}", keep="\n"))
        except DeclarationError as error:
            wrong += 1
            typer.echo(printable(str(error), keep="\n"), err=True)
    if wrong:
        raise typer.Exit(1)


def schema(
    what: Annotated[Schema, typer.Argument(help="What the files declare.")] = Schema.EXPERIMENT,
) -> None:
    """Print a JSON Schema, with which editors complete and check files."""
    import json

    from experiments.schema import experiment_schema
    from registry.schema import space_schema, variant_schema

    build = {
        Schema.VARIANT: variant_schema,
        Schema.SPACE: space_schema,
        Schema.EXPERIMENT: experiment_schema,
    }[what]
    typer.echo(json.dumps(build(), indent=2, ensure_ascii=False))


def diff(
    a: Annotated[str, typer.Argument(help="Name in the catalog, or a file.")],
    b: Annotated[str, typer.Argument(help="What it is compared with.")],
    overrides: Overrides = None,
    output: Annotated[DiffFormat, typer.Option("--format", help="How it is written.")] = DiffFormat.TABLE,
) -> None:
    """Show what differs between two variants, and what each difference alone costs. Nothing is built."""
    import registry
    from experiments.diff_table import render_diff

    one, other = (registry.load_variant(reference, overrides or ()) for reference in (a, b))
    difference = registry.diff_configs(one.config, other.config)
    typer.echo(render_diff(one.name, other.name, difference, output.value), nl=False)
