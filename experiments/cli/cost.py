"""The command that tells what variants cost, in several views. None loads torch but those that measure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.cost_flops import Conventions, Tokens, show_conventions, show_table
from experiments.cli.cost_memory import (
    DeviceCount,
    FitInto,
    KernelsOf,
    LossChunks,
    Memory,
    MemoryOptions,
    Optimizer,
    Recompute,
    WrittenOut,
    show_fit,
    show_memory,
)
from experiments.cli.cost_time import Decode, Devices, Figure, Measure, show_decoding, show_times
from experiments.cli.options import Overrides

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig


class CostFormat(StrEnum):
    """How costs are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class By(StrEnum):
    """What the three counts are shown for."""

    MODULE = "module"


Reconcile = Annotated[
    bool, typer.Option("--reconcile", help="Hold the closed form of FLOPs against two counters.")
]
Precision = Annotated[
    str | None,
    typer.Option(
        help="With --device or --measure: float32, bfloat16, or both with a comma; with --memory or --fit "
        "also bfloat16_master or bfloat16_pure."
    ),
]


@dataclass(frozen=True)
class Asked:
    """What every view of costs is given."""

    configs: "dict[str, GPTConfig]"
    output: str
    context_length: int | None
    batch_size: int


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
    tokens: Tokens = None,
    conventions: Conventions = False,
    reconcile: Reconcile = False,
    by: Annotated[By | None, typer.Option(help="With --reconcile: show each module.")] = None,
    memory: Memory = False,
    fit: FitInto = None,
    n_devices: DeviceCount = None,
    optimizer: Optimizer = None,
    recompute: Recompute = False,
    written_out: WrittenOut = False,
    loss_chunks: LossChunks = None,
    kernels: KernelsOf = None,
    devices: Devices = None,
    measure: Measure = False,
    decode: Decode = False,
    figure: Figure = None,
    precision: Precision = None,
) -> None:
    """Cost variants: parameters, FLOPs, KV cache. Nothing is allocated."""
    _must_go_with("--reconcile", reconcile, {"--by": by})
    _must_go_with("--decode", decode, {"--figure": figure})
    made = {"--devices": n_devices, "--optimizer": optimizer, "--recompute": recompute or None}
    made |= {"--written-out-attention": written_out or None, "--kernels": kernels}
    made |= {"--loss-chunks": loss_chunks}
    _must_go_with("--memory or --fit", memory or fit is not None, made)
    remembered = MemoryOptions(precision, optimizer, recompute, written_out, loss_chunks, kernels, n_devices)
    timed = partial(show_times, devices or [], measure, precision)
    views = {
        "--conventions": partial(show_conventions, tokens) if conventions else None,
        "--memory": partial(show_memory, remembered) if memory else None,
        "--fit": partial(show_fit, fit, remembered) if fit is not None else None,
        "--reconcile": partial(_show_reconciliation, by is not None) if reconcile else None,
        "--device and --measure": timed if devices or measure else None,
        "--decode": partial(show_decoding, figure) if decode else None,
    }
    view = _one_of(views)
    if tokens is not None and view is not None and not conventions:
        raise ValueError(f"`--tokens {tokens:g}` is for the table and --conventions; leave it out")
    view = view or partial(show_table, tokens)
    view(Asked(_load(variants, overrides or []), output.value, context_length, batch_size))


def _must_go_with(view: str, given: bool, options: Mapping[str, object]) -> None:
    """Refuse options of a view that is not asked for."""
    for option, value in options.items():
        if value is not None and not given:
            raise ValueError(f"`{option}` is for {view}; give {view} too")


View = Callable[[Asked], None]


def _one_of(views: Mapping[str, View | None]) -> View | None:
    """The view that was asked for, if any was."""
    given = {option: view for option, view in views.items() if view is not None}
    if len(given) > 1:
        raise ValueError(
            f"costs are shown in one view at a time, got several; choose one of {', '.join(given)}"
        )
    return next(iter(given.values()), None)


def _show_reconciliation(by_module: bool, asked: Asked) -> None:
    """Ends with 1 if the counts differ."""
    from experiments.costs.reconciliation import render_reconciliations
    from gpt_zoo.measure.reconcile import reconcile

    if asked.batch_size != 1:
        raise ValueError(f"one sequence is counted, got --batch-size {asked.batch_size}; leave it out")
    found = {name: reconcile(config, asked.context_length) for name, config in asked.configs.items()}
    typer.echo(render_reconciliations(found, asked.output, by_module), nl=False)
    if not all(one.agree for one in found.values()):
        raise typer.Exit(1)


def _load(variants: list[str], overrides: list[str]) -> "dict[str, GPTConfig]":
    """The configs by name of the variant."""
    import registry

    loaded = [registry.load_variant(reference, overrides) for reference in variants]
    return {variant.name: variant.config for variant in loaded}
