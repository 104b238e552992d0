"""What optimizers keep of parameters, and what a step of them needs for a moment, as torch 2.13 makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.tape import BFLOAT16, FLOAT32
from gpt_zoo.parts import parts_of

PART_BYTES = 2**26
"""Of float32 copies of bfloat16 weights that are stepped together: as little as not to be seen beside a
model, and enough that a small model is stepped at once."""
LION_PART_BYTES = 2**22
"""Of the weights that Lion steps together, so that their updates need no memory of a whole model."""


class Shape(NamedTuple):
    """Parameters of one shape: `number` matrices of `rows` x `columns`; a vector is a column."""

    rows: int
    columns: int
    number: int = 1

    @property
    def params(self) -> int:
        """All of them."""
        return self.rows * self.columns * self.number


@dataclass(frozen=True)
class OptimizerCost:
    """The memory of an optimizer.

    Args:
        source: Where the optimizer comes from.
        state: Numbers that it keeps of a matrix with so many rows and columns.
        temporary: Bytes that its step needs for such a matrix, of numbers with so many bytes.
        others: The optimizer of all that is no matrix of a layer, where it is another one.
        together_bytes: Of neighbouring weights that it works on at once, if one alone has not more.
    """

    source: str
    state: Callable[[int, int], int]
    temporary: Callable[[int, int, int], int]
    others: str | None = None
    together_bytes: int = 0


def _copies(count: int) -> Callable[[int, int, int], int]:
    return lambda rows, columns, size: count * rows * columns * size


def _orthogonalize(rows: int, columns: int, size: int) -> int:
    """The update, and in bfloat16: itself, the next one, and two products of the shorter side."""
    rounded = 0 if size == BFLOAT16 else BFLOAT16
    short = min(rows, columns)
    return (size + rounded + BFLOAT16) * rows * columns + 2 * BFLOAT16 * short**2


OPTIMIZERS: dict[str, OptimizerCost] = {
    "adamw": OptimizerCost(
        'Loshchilov and Hutter 2017, "Decoupled Weight Decay Regularization", arXiv:1711.05101',
        state=lambda rows, columns: 2 * rows * columns,
        temporary=_copies(0),  # one kernel reads and writes each number where it is
    ),
    "sgd": OptimizerCost(
        'Robbins and Monro 1951, "A Stochastic Approximation Method"; without weight decay',
        state=lambda rows, columns: 0,
        temporary=_copies(0),
    ),
    "sgd_momentum": OptimizerCost(
        'Polyak 1964, "Some methods of speeding up the convergence of iteration methods"',
        state=lambda rows, columns: rows * columns,
        temporary=_copies(0),
    ),
    "lion": OptimizerCost(
        'Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675',
        state=lambda rows, columns: rows * columns,
        temporary=_copies(1),  # the update
        together_bytes=LION_PART_BYTES,
    ),
    "muon": OptimizerCost(
        'Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"',
        state=lambda rows, columns: rows * columns,
        temporary=_orthogonalize,
        others="adamw",
    ),
    "adafactor": OptimizerCost(
        'Shazeer and Stern 2018, "Adafactor", arXiv:1804.04235; without momentum',
        state=lambda rows, columns: rows + columns if min(rows, columns) > 1 else rows * columns,
        temporary=_copies(1),
    ),
}


def optimizer_memory(
    name: str, hidden: list[Shape], others: list[Shape], size: int, master: bool = False
) -> tuple[int, int]:
    """Bytes that an optimizer keeps between steps, and the most that a step needs beside them for a moment.

    Args:
        hidden: The matrices of layers.
        others: All other parameters.
        size: Bytes of a weight, and of what is kept of it.
        master: Whether it keeps a copy of the weights, and its state, in float32.

    Raises:
        ValueError: no optimizer has that name.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"no optimizer is called `{name}`; {did_you_mean(name, OPTIMIZERS)}")
    own = OPTIMIZERS[name]
    parts = [(own, [*hidden, *others])]
    if own.others is not None:
        parts = [(own, hidden), (OPTIMIZERS[own.others], others)]
    size = FLOAT32 if master else size
    kept = temporary = 0
    for optimizer, shapes in parts:
        together = min(optimizer.together_bytes, size * sum(shape.params for shape in shapes))
        temporary = max(temporary, optimizer.temporary(1, together // size, size))
        for rows, columns, count in shapes:
            kept += count * (optimizer.state(rows, columns) + (rows * columns if master else 0))
            temporary = max(temporary, optimizer.temporary(rows, columns, size))
    return size * kept, temporary


def master_gradients(tensors: Iterable[int]) -> tuple[int, int]:
    """What a step of float32 copies of bfloat16 weights needs beside all gradients in bfloat16, at most.

    Neighbouring tensors are stepped together, `PART_BYTES` of them: their gradients become float32 one by
    one, and each is gone in bfloat16 then.

    Args:
        tensors: Numbers of each, in the order of the model.

    Returns:
        Bytes while gradients become float32, and bytes when those of a part have.
    """
    turning = turned = gone = 0
    for part in parts_of(tensors, lambda numbers: FLOAT32 * numbers, PART_BYTES):
        numbers = sum(part)
        grown = (FLOAT32 - BFLOAT16) * numbers - BFLOAT16 * gone
        turning = max(turning, grown + BFLOAT16 * part[-1])
        turned = max(turned, grown)
        gone += numbers
    return turning, turned


def summed_gradients(tensors: Iterable[int]) -> int:
    """What it needs beside all gradients to add those in bfloat16, one by one, to sums in float32, at most.

    Each is turned to float32 first, and gone afterwards.

    Args:
        tensors: Numbers of each, in the order of the model.
    """
    most = gone = 0
    for numbers in tensors:
        most = max(most, FLOAT32 * numbers - BFLOAT16 * gone)
        gone += numbers
    return most
