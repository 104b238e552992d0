"""The command that tells what variants cost, in several views. None loads torch but those that measure."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.options import Overrides

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class CostFormat(StrEnum):
    """How costs are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cost")(cost)


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
    from experiments.costs.table import render_costs
    from gpt_zoo.cost import model_cost

    configs = _load(variants, overrides or [])
    costs = {name: model_cost(config, context_length, batch_size) for name, config in configs.items()}
    typer.echo(render_costs(costs, output.value), nl=False)


def _load(variants: list[str], overrides: list[str]) -> "dict[str, GPTConfig]":
    """The configs by name of the variant."""
    import registry

    loaded = [registry.load_variant(reference, overrides) for reference in variants]
    return {variant.name: variant.config for variant in loaded}
