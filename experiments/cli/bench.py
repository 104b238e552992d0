"""The command that times trainings beside those of other libraries."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.data.config import DataConfig


class BenchFormat(StrEnum):
    """How a comparison is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class BenchDevice(StrEnum):
    """What is computed on."""

    CPU = "cpu"
    CUDA = "cuda"


Shapes = Annotated[
    list[str] | None,
    typer.Argument(
        help="tiny, small, 124m, or a variant with --batch-size.", show_default="tiny, small and 124m"
    ),
]
Against = Annotated[
    list[str] | None,
    typer.Option(
        help="transformers, litgpt, x-transformers, llms-from-scratch, with commas; or none.",
        show_default="those that are installed",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        help="With commas; of ours: best, float32, bfloat16 and bfloat16_master, or with +compile; of "
        "peers: as-it-comes, or autocast, compile and malloc, joined with +.",
        show_default="float32, best, best+compile, as-it-comes, autocast, autocast+compile",
    ),
]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps of a turn.", show_default="by shape")]
BatchSize = Annotated[int | None, typer.Option(help="Sequences of a step.", show_default="by shape")]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor threads.", show_default="all cores")]
Text = Annotated[
    Path | None,
    typer.Option("--data", help="Text file or folder to train on.", show_default="Python's library"),
]
Written = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write it to a file too; .md and .json say how.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(
    shapes: Shapes = None,
    against: Against = None,
    settings: Settings = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each.")] = 6,
    steps: Steps = None,
    batch_size: BatchSize = None,
    threads: Threads = None,
    device: Annotated[BenchDevice, typer.Option(help="What is computed on.")] = BenchDevice.CPU,
    text: Text = None,
    output: Annotated[BenchFormat, typer.Option("--format", help="How it is written.")] = BenchFormat.TABLE,
    out: Written = None,
) -> None:
    """Time trainings, in turn with those of other libraries: speed, share of the limit, loss, memory."""
    from experiments.bench.contenders import find_settings, list_contenders
    from experiments.bench.peers import find_peers
    from experiments.bench.run import Bench, run_bench
    from experiments.bench.setup import describe_setup
    from experiments.bench.shapes import SHAPES, find_shape
    from experiments.bench.table import render_bench
    from experiments.cli.progress import TerminalProgress
    from experiments.data.tokens import load_tokens
    from experiments.doctor import usable_threads

    named = _split(against)
    peers = [] if named == ["none"] else find_peers(named)
    chosen = find_settings(_split(settings))
    list_contenders(peers, chosen)  # says what is wrong before any work
    found = [find_shape(name, batch_size) for name in shapes or SHAPES]
    _check_out(out)
    with TerminalProgress() as progress:
        folder = load_tokens(_data(text), progress).folder
        how = Bench(rounds, steps, threads or usable_threads(), device.value, folder)
        results = [run_bench(shape, peers, chosen, how, progress) for shape in found]
    setup = describe_setup(how, shlex.join(["gpt-zoo", *sys.argv[1:]]), text)
    typer.echo(render_bench(results, setup, output.value), nl=False)
    if out is not None:
        style = {".md": "markdown", ".json": "json"}.get(out.suffix, output.value)
        out.write_text(render_bench(results, setup, style), "utf-8")
    if any(one.failed and one.contender.is_ours for result in results for one in result.found):
        raise typer.Exit(1)


def _split(values: list[str] | None) -> list[str] | None:
    """The words of an option that may be repeated, and may hold several with commas."""
    if values is None:
        return None
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def _check_out(out: Path | None) -> None:
    """Refuse a folder that is not there, before minutes of work are lost to it."""
    if out is not None and not out.absolute().parent.is_dir():
        raise ValueError(f"the folder of --out must exist, got {out}; create {out.parent}")


def _data(text: Path | None) -> "DataConfig":
    from experiments.data.config import DataConfig

    if text is None:
        return DataConfig()
    return DataConfig.model_validate({"corpus": {"kind": "text", "paths": [str(text)]}})
