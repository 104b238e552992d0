"""The command that tells whether a parametrization keeps activations alike at any width."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.options import Overrides, TableOrJson

if TYPE_CHECKING:
    from experiments.training.config import TrainingConfig


class Parametrization(StrEnum):
    """How initial weights and learning rates change with the width."""

    MUP = "mup"
    STANDARD = "standard"


class Optimizer(StrEnum):
    """Those that muP has rules for."""

    ADAMW = "adamw"
    LION = "lion"


class Grown(StrEnum):
    """What a wider model has more of."""

    HEAD_DIM = "head_dim"
    HEADS = "heads"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("coordcheck")(coordcheck)


def coordcheck(
    variant: Annotated[str, typer.Argument(help="Name in the catalog, or a file.")],
    overrides: Overrides = None,
    widths: Annotated[
        str, typer.Option(help="Values of emb_dim; the smallest is muP's base.")
    ] = "64,128,256,512",
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimizer, all on one batch.")] = 4,
    seeds: Annotated[int, typer.Option(min=1, help="Weights and batches that are averaged over.")] = 3,
    parametrization: Annotated[
        Parametrization, typer.Option(help="mup, or standard to see what it mends.")
    ] = Parametrization.MUP,
    growing: Annotated[
        Grown,
        typer.Option(
            help="What a wider model has: larger heads, or more of them. Larger ones are the harder case, in "
            "which scores would grow too."
        ),
    ] = Grown.HEAD_DIM,
    learning_rate: Annotated[
        float | None, typer.Option(min=1e-9, help="Of all widths; the rule's at the smallest unless given.")
    ] = None,
    optimizer: Annotated[Optimizer, typer.Option(help="What steps the weights.")] = Optimizer.ADAMW,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the processor.")] = None,
    output: Annotated[TableOrJson, typer.Option("--format", help="How it is written.")] = TableOrJson.TABLE,
) -> None:
    """Train a variant at several widths for a few steps on the source of Python's standard library, and tell
    whether what its components put out, and how much that changes, stays bounded as the width grows.

    Exit code 1 if it does not.
    """
    import registry
    from experiments.cli.progress import TerminalProgress
    from experiments.coordinates.check import find_trends, growing_trends
    from experiments.coordinates.run import run_check
    from experiments.coordinates.table import render_check

    sizes = _read_widths(widths)
    training = _training(parametrization, learning_rate, optimizer, threads)
    config = registry.load_variant(variant, overrides or ()).config
    with TerminalProgress() as progress:
        trends = find_trends(run_check(config, training, sizes, steps, seeds, growing.value, progress))
    typer.echo(render_check(trends, output.value), nl=False)
    if growing_trends(trends):
        raise typer.Exit(1)


def _read_widths(text: str) -> tuple[int, ...]:
    try:
        widths = tuple(sorted({int(word) for word in text.split(",")}))
    except ValueError:
        raise ValueError(
            f"--widths are whole numbers with commas between, got `{text}`; try 64,128,256"
        ) from None
    if len(widths) < 2 or widths[0] < 1:
        raise ValueError(f"--widths must be two at least, all above 0, got `{text}`; try 64,128,256")
    return widths


def _training(
    parametrization: Parametrization, learning_rate: float | None, optimizer: Optimizer, threads: int | None
) -> "TrainingConfig":
    from experiments.training.config import TrainingConfig

    asked = {"parametrization": parametrization.value, "optimizer": optimizer.value, "threads": threads}
    return TrainingConfig.model_validate({**asked, "learning_rate": learning_rate or "by_width"})
