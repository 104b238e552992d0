"""The command that lets a trained model write."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.printable import printable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate")(generate)


def generate(
    source: Annotated[
        Path, typer.Argument(help="Run folder with weights, as `train` leaves it, or a checkpoint.")
    ],
    prompt: Annotated[
        list[str] | None,
        typer.Option(help="Text to go on from; several make a batch.", show_default="a line break"),
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(help="Tokens to write.")] = 200,
    temperature: Annotated[float, typer.Option(help="Below 1 is safer, 0 takes the likeliest token.")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw among so many likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw among the likeliest that reach this mass.")
    ] = None,
    min_p: Annotated[
        float | None, typer.Option(help="Draw among those at least this share as likely as the likeliest.")
    ] = None,
    stop: Annotated[
        list[str] | None, typer.Option(help="Text that ends the writing; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes it repeatable.")] = None,
    trial: Annotated[int | None, typer.Option(help="Trial of the run; its best unless given.")] = None,
) -> None:
    """Continue a text with a trained model, as it is written; several texts one after the other."""
    from experiments.text import continue_texts, find_weights

    prompts = prompt or ["\n"]
    try:
        texts = continue_texts(
            find_weights(source, trial),
            prompts,
            max_new_tokens,
            stop=stop or (),
            on_text=(lambda index, text: _show(text)) if len(prompts) == 1 else (lambda index, text: None),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            seed=seed,
        )
        if len(prompts) > 1:
            _show("\n\n".join(texts))
    finally:
        typer.echo()  # what is said next, an error too, begins a line


def _show(text: str) -> None:
    sys.stdout.write(printable(text, keep="\n\t"))
    sys.stdout.flush()
