"""The command that lets a trained model write."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate")(generate)


def generate(
    source: Annotated[
        Path, typer.Argument(help="Run folder with weights, as `train` leaves it, or a checkpoint.")
    ],
    prompt: Annotated[str, typer.Option(help="Text to go on from.")] = "\n",
    max_new_tokens: Annotated[int, typer.Option(help="Tokens to write.")] = 200,
    temperature: Annotated[float, typer.Option(help="Below 1 is safer, 0 takes the likeliest token.")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw among so many likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw among the likeliest that reach this mass.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes it repeatable.")] = None,
    trial: Annotated[int | None, typer.Option(help="Trial of the run; its best unless given.")] = None,
) -> None:
    """Continue a text with a trained model."""
    from experiments.text import continue_text, find_weights

    text = continue_text(
        find_weights(source, trial),
        prompt,
        max_new_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
    )
    typer.echo(text)
