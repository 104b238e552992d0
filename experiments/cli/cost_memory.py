"""The views of `cost` that are about memory: where it goes, and what fits into some."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.cli.cost import Asked
    from experiments.costs.memory import MemoryQuestion


class Kernels(StrEnum):
    """Whose kernels compute."""

    CPU = "cpu"
    CUDA = "cuda"


Memory = Annotated[bool, typer.Option("--memory", help="Show where the memory goes, part by part.")]
FitInto = Annotated[
    str | None,
    typer.Option("--fit", metavar="80GiB", help="Show the largest batch and the longest context that fit."),
]
DeviceCount = Annotated[
    int | None,
    typer.Option("--devices", metavar="N", help="With --memory or --fit: divide the batch over N devices."),
]
Optimizer = Annotated[
    str | None, typer.Option(metavar="NAME", help="With --memory or --fit: adamw unless given, sgd, ...")
]
Recompute = Annotated[
    bool,
    typer.Option("--recompute", help="With --memory or --fit: compute layers again in the backward pass."),
]
WrittenOut = Annotated[
    bool, typer.Option("--written-out-attention", help="With --memory or --fit: no fused attention.")
]
LossChunks = Annotated[
    int | None,
    typer.Option("--loss-chunks", metavar="N", help="With --memory or --fit: logits of N parts, in turns."),
]
KernelsOf = Annotated[
    Kernels | None,
    typer.Option("--kernels", help="With --memory or --fit: whose kernels compute; cuda unless given."),
]


@dataclass(frozen=True)
class MemoryOptions:
    """What is said on the command line of how a step is made."""

    precision: str | None
    optimizer: str | None
    recompute: bool
    written_out: bool
    loss_chunks: int | None
    kernels: Kernels | None
    devices: int | None

    def question(self, asked: "Asked") -> "MemoryQuestion":
        """What is to be computed. Inference has 2-byte numbers unless float32 is asked for."""
        from experiments.costs.memory import MemoryQuestion, find_precision
        from gpt_zoo.cost.memory import TrainingStep

        step = TrainingStep(
            batch_size=asked.batch_size,
            context_length=asked.context_length,
            precision=find_precision(self.precision or "float32"),
            optimizer=self.optimizer or "adamw",
            fused_attention=not self.written_out,
            recompute=self.recompute,
            loss_chunks=1 if self.loss_chunks is None else self.loss_chunks,
            device="cpu" if self.kernels is Kernels.CPU else "cuda",
        )
        return MemoryQuestion(step, 4 if self.precision == "float32" else 2, self.devices)


def show_memory(options: MemoryOptions, asked: "Asked") -> None:
    """Parameters, gradients, optimizer state, activations, KV cache."""
    from experiments.costs.memory import render_memory

    typer.echo(render_memory(asked.configs, options.question(asked), asked.output), nl=False)


def show_fit(amount: str, options: MemoryOptions, asked: "Asked") -> None:
    """The largest batch and the longest context within `amount`."""
    from experiments.costs.fit import render_fit
    from experiments.quantity import parse_bytes

    question = options.question(asked)
    typer.echo(render_fit(asked.configs, question, parse_bytes(amount), asked.output), nl=False)
