"""The views of `cost` that are about time: steps on a device, and decoding against the context."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.cli.cost import Asked

Devices = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Estimate times on a device, such as h100, or `this` machine; may be repeated.",
    ),
]
Measure = Annotated[bool, typer.Option("--measure", help="Measure the times of a few steps on this machine.")]
Decode = Annotated[bool, typer.Option("--decode", help="Show decoding against the length of the context.")]
Figure = Annotated[Path | None, typer.Option(metavar="FILE.svg", help="With --decode: draw the curves too.")]


def show_times(devices: list[str], measure: bool, precision: str | None, asked: "Asked") -> None:
    """Estimates for devices, and below them what was measured here."""
    from experiments.costs.time import estimate_rows, find_devices, find_precisions, measure_rows
    from experiments.costs.time_table import render_times

    precisions, shape = find_precisions(precision), (asked.batch_size, asked.context_length)
    rows = list(estimate_rows(asked.configs, find_devices(devices), precisions, *shape))
    if measure:
        from experiments.cli.progress import TerminalProgress

        with TerminalProgress() as progress:
            rows += measure_rows(asked.configs, precisions, *shape, progress)
    typer.echo(render_times(rows, asked.output), nl=False)


def show_decoding(figure: Path | None, asked: "Asked") -> None:
    """Curves of decoding as tables, and as a figure if one is asked for."""
    from experiments.costs.decode import decode_view, render_decode

    view = decode_view(asked.configs, asked.context_length, asked.batch_size)
    typer.echo(render_decode(view, asked.output), nl=False)
    if figure is not None:
        from experiments.costs.decode_figure import draw_decode

        figure.write_text(draw_decode(view).svg, "utf-8")
        print(f"Figure: {figure}", file=sys.stderr)
