"""The views of `cost` that are about parameters and FLOPs: the table, and one convention beside the other."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.cli.cost import Asked

Tokens = Annotated[
    float | None,
    typer.Option(
        help="Tokens of a training run, such as 300e9: show its FLOPs in the table or --conventions."
    ),
]
Conventions = Annotated[
    bool, typer.Option("--conventions", help="Show training FLOPs as several papers count them.")
]


def show_table(tokens: float | None, asked: "Asked") -> None:
    """Parameters, FLOPs and KV cache, in one convention."""
    from experiments.costs.table import render_costs
    from gpt_zoo.cost import model_cost

    run = _whole(tokens)
    costs = {
        name: model_cost(config, asked.context_length, asked.batch_size)
        for name, config in asked.configs.items()
    }
    typer.echo(render_costs(costs, asked.output, run), nl=False)


def show_conventions(tokens: float | None, asked: "Asked") -> None:
    """Training FLOPs in all conventions."""
    from experiments.costs.conventions import render_conventions
    from gpt_zoo.cost.conventions import count_conventions

    if asked.batch_size != 1:
        raise ValueError(f"a token is counted, got --batch-size {asked.batch_size}; leave it out")
    run = _whole(tokens)
    found = {
        name: count_conventions(config, asked.context_length, run) for name, config in asked.configs.items()
    }
    typer.echo(render_conventions(found, asked.output, run), nl=False)


def _whole(tokens: float | None) -> int | None:
    if tokens is None:
        return None
    if not math.isfinite(tokens) or tokens < 1:
        raise ValueError(f"a run must have at least 1 token, got --tokens {tokens:g}; try 300e9")
    return round(tokens)
