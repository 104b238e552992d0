"""Commands about what is declared: list, show, validate, schema, cost. None of them loads torch."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.cli.options import Overrides


class CostFormat(StrEnum):
    """How costs are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class Schema(StrEnum):
    """What a JSON Schema describes."""

    VARIANT = "variant"
    SPACE = "space"
    EXPERIMENT = "experiment"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_variants)
    app.command("show")(show)
    app.command("validate")(validate)
    app.command("schema")(schema)
    app.command("cost")(cost)


def list_variants() -> None:
    """List the variants of the catalog and the shipped experiments."""
    from rich.console import Console
    from rich.table import Table

    import registry
    from experiments.loading import list_recipes
    from experiments.units import format_count
    from gpt_zoo.config import model_cost
    from registry.yaml_source import load_document

    table = Table("variant", "params", "description", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[1].justify = "right"
    for name in registry.list_variants():
        variant = registry.load_variant(name)
        table.add_row(name, format_count(model_cost(variant.config).params), variant.description)
    recipes = Table("experiment", "description", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, path in list_recipes().items():
        recipes.add_row(name, load_document(path).data.get("description", ""))
    console = Console()
    console.print(table)
    console.print()
    console.print(recipes)


def show(
    variant: Annotated[str, typer.Argument(help="Name in the catalog, or a file.")],
    overrides: Overrides = None,
) -> None:
    """Show a variant as YAML, with all that it extends and every default."""
    import registry
    from experiments.experiment import declared_data
    from registry.yaml_dump import dump_document

    typer.echo(dump_document(declared_data(registry.load_variant(variant, overrides or ()))), nl=False)


def validate(files: Annotated[list[Path], typer.Argument(help="Variants, spaces or experiments.")]) -> None:
    """Check files, and say what each declares or what is wrong with it."""
    from experiments.validation import describe_file
    from registry.errors import DeclarationError

    wrong = 0
    for file in files:
        try:
            typer.echo(f"{file}: {describe_file(file)}")
        except DeclarationError as error:
            wrong += 1
            typer.echo(str(error), err=True)
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


def cost(
    variants: Annotated[list[str], typer.Argument(help="Names in the catalog, or files.")],
    overrides: Overrides = None,
    output: Annotated[CostFormat, typer.Option("--format", help="How it is written.")] = CostFormat.TABLE,
    context_length: Annotated[
        int | None, typer.Option(help="Tokens of the sequence; each variant's context unless given.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Sequences of a training step.")] = 1,
) -> None:
    """Cost variants: parameters, FLOPs, KV cache. Nothing is built."""
    import registry
    from experiments.cost_table import render_costs
    from gpt_zoo.config import model_cost

    rows: dict[str, Any] = {}
    for reference in variants:
        variant = registry.load_variant(reference, overrides or ())
        rows[variant.name] = model_cost(variant.config, context_length, batch_size)
    typer.echo(render_costs(rows, output.value), nl=False)
