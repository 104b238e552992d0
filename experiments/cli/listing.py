"""The command that lists what can be named: variants, experiments, kinds of components."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.options import TableOrJson, output_console

if TYPE_CHECKING:
    pass


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_catalog)


def list_catalog(
    pattern: Annotated[
        str | None, typer.Argument(help="Part of a name, or wildcards such as 'gpt2*'; all unless given.")
    ] = None,
    kinds: Annotated[
        bool, typer.Option("--kinds", help="List what a variant may name: kinds of components, activations.")
    ] = False,
    output: Annotated[TableOrJson, typer.Option("--format", help="How it is written.")] = TableOrJson.TABLE,
) -> None:
    """List the variants of the catalog and the shipped experiments, or the kinds of components."""
    (_list_kinds if kinds else _list_variants)(pattern, output)


def _list_variants(pattern: str | None, output: TableOrJson) -> None:
    import registry
    from experiments.catalog_table import matching, no_match, render_variants, variant_rows
    from experiments.loading import list_recipes
    from registry.yaml_source import load_document

    names, recipes = registry.list_variants(), list_recipes()
    stories = {
        name: load_document(recipes[name]).data.get("description", "") for name in matching(recipes, pattern)
    }
    variants = variant_rows(registry.load_variant(name) for name in matching(names, pattern))
    if pattern and not (variants or stories):
        raise no_match("variant", pattern, names)
    if output is TableOrJson.JSON:
        experiments = [{"name": name, "description": story} for name, story in stories.items()]
        typer.echo(_json({"variants": variants, "experiments": experiments}))
    else:
        render_variants(variants, stories, output_console(markup=False, highlight=False))


def _list_kinds(pattern: str | None, output: TableOrJson) -> None:
    import registry
    from experiments.catalog_table import matching, no_match, render_kinds

    kinds = registry.list_kinds()
    names = {name for kind in kinds for name in (kind.slot, kind.name)}
    fitting = set(matching(names, pattern))
    found = [kind for kind in kinds if fitting & {kind.slot, kind.name}]
    if pattern and not found:
        raise no_match("slot or kind", pattern, names)
    if output is TableOrJson.JSON:
        typer.echo(_json([asdict(kind) for kind in found]))
    else:
        render_kinds(found, output_console(markup=False, highlight=False))


def _json(data: object) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False)
