"""The command that adjusts a variant to equal cost. It builds nothing, and does not load torch."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.options import Overrides

if TYPE_CHECKING:
    from registry.matching.result import Match


class MatchFormat(StrEnum):
    """How a match is written."""

    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("match")(match)


def match(
    variant: Annotated[str, typer.Argument(help="Name in the catalog, or a file: what is adjusted.")],
    to: Annotated[str, typer.Option("--to", help="Name or file of the variant whose cost is wanted.")],
    by: Annotated[
        list[str],
        typer.Option(
            "--by", help="Key path of a whole number to adjust, such as feed_forward.hidden_dim; repeatable."
        ),
    ],
    on: Annotated[
        str,
        typer.Option(
            "--on",
            help="params, active, non_embedding, flops, flops_causal, flops_windowed, train_flops, kv_bytes, "
            "kv_bytes_per_token, or memory: the predicted peak of training.",
        ),
    ] = "params",
    overrides: Overrides = None,
    tolerance: Annotated[float, typer.Option(help="Largest difference, as a share of the target.")] = 0.01,
    multiple_of: Annotated[int, typer.Option(help="Of which widths are multiples, such as 8 or 64.")] = 1,
    context_length: Annotated[
        int | None, typer.Option(help="Tokens of a sequence; the smaller of both contexts unless given.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Sequences of a training step.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Variant file to write, with `extends`.")
    ] = None,
    output: Annotated[MatchFormat, typer.Option("--format", help="What is shown.")] = MatchFormat.TABLE,
) -> None:
    """Adjust a variant until it costs as much as another one.

    --set changes the variant, not what it is adjusted to.
    """
    import registry
    from gpt_zoo.cost.memory import TrainingStep
    from registry.matching.advice import explain_miss
    from registry.matching.result import Goal
    from registry.matching.search import Matching

    adjusted, target = registry.load_variant(variant, overrides or ()), registry.load_variant(to)
    _check_place(out, adjusted.origin)
    goal = Goal(on, tuple(by), tolerance, multiple_of)
    matching = Matching(adjusted, target, goal, context_length, TrainingStep(batch_size=batch_size))
    found = matching.best()
    if not found.within:
        raise ValueError(explain_miss(matching, found))
    if output is not MatchFormat.YAML:
        from experiments.costs.match import render_match

        typer.echo(render_match(found, adjusted, target, output.value), nl=False)
    _declare(found, variant, out, show=output is MatchFormat.YAML)


def _check_place(out: Path | None, origin: Path | None) -> None:
    if out is None:
        return
    if out.suffix not in (".yaml", ".yml"):
        raise ValueError(f"a variant is written to a file that ends in .yaml, got `{out}`")
    if origin and out.resolve() == origin.resolve():
        raise ValueError(f"`{out}` would extend itself; give another file with --out")


def _declare(found: "Match", variant: str, out: Path | None, show: bool) -> None:
    """Show or write the matched variant as YAML."""
    from experiments.run_folder import write_atomically
    from registry.matching.declare import declare_match
    from registry.yaml_dump import dump_document

    if show:
        typer.echo(dump_document(declare_match(found, variant, out.parent if out else Path())), nl=False)
    if out is None:
        return
    write_atomically(out, dump_document(declare_match(found, variant, out.parent)))
    typer.echo(f"Written: {out}", err=True)
