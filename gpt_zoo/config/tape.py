"""What a forward pass makes and what it keeps for the backward pass, told step by step and never computed.

A config tells it in its `trace`, in the order of its module. From that follow the bytes that autograd saves,
and the largest sum of all that lives at once, in the forward and in the backward pass. The rules are those of
torch 2.13: a product keeps both factors if both learn, a kernel what its derivative is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gpt_zoo.layers.activations import KEPT

FLOAT32, BFLOAT16, INT64 = 4, 2, 8
"""Bytes of a number."""
EMBEDDED = "embedded"
"""What the first layer reads, among the memory that layers share."""


@dataclass(frozen=True)
class Pass:
    """How a model is run.

    Args:
        batch: B, sequences.
        time: T, tokens of each.
        size: Bytes of a weight as the model holds it.
        autocast: Whether products are computed in bfloat16 while weights stay float32.
        learns: Whether a backward pass follows: something is kept, and dropout drops.
        fused: Whether attention is one kernel, where there is one.
        cuda: Whether the kernels are those of a GPU.
    """

    batch: int
    time: int
    size: int = FLOAT32
    autocast: bool = False
    learns: bool = True
    fused: bool = True
    cuda: bool = False


class Storage:
    """A piece of memory, which several tensors may share.

    Args:
        size_bytes: Its size.
        shared: Whether all layers have it in common.
    """

    __slots__ = ("bytes", "keepers", "shared")

    def __init__(self, size_bytes: int, shared: bool = False) -> None:
        self.bytes, self.shared = size_bytes, shared
        self.keepers = 0
        """Steps whose backward pass needs it."""


class Made:
    """A tensor of the forward pass.

    Args:
        numbers: How many.
        size: Bytes of each.
        storage: Where they are.
    """

    __slots__ = ("by_head", "gradient", "numbers", "size", "storage")

    def __init__(self, numbers: int, size: int, storage: Storage) -> None:
        self.numbers, self.size, self.storage = numbers, size, storage
        self.by_head = False
        """Whether they lie head by head; else token by token, as projections leave them."""
        self.gradient: list[int] | None = None
        """Bytes of what has arrived in the backward pass, and how many tensors share it."""


class Step:
    """What made a tensor, as the backward pass sees it.

    Args:
        made: The result.
        inputs: What it was made from, of which each gets a gradient.
        keeps: Memory that is needed for that.
        weights: Parameters that get a gradient.
        extra: Bytes that the backward pass needs beside all gradients.
        rounded: Bytes of gradients of parameters in bfloat16, of which those in float32 are made afterwards.
        passes: Whether the gradient of the result is that of the inputs, unchanged.
    """

    __slots__ = ("extra", "inputs", "keeps", "made", "passes", "rounded", "weights")

    def __init__(
        self,
        made: Made,
        inputs: tuple[Made, ...],
        keeps: tuple[Storage, ...],
        weights: int,
        extra: int,
        rounded: int,
        passes: bool,
    ) -> None:
        self.made, self.inputs, self.keeps = made, inputs, keeps
        self.weights, self.extra, self.rounded, self.passes = weights, extra, rounded, passes


class Tape:
    """The record of a stretch of a forward pass, such as a layer.

    Args:
        run: How the model is run.
        shared: Memory that layers have in common, by name; filled by the first that makes it.
    """

    def __init__(self, run: Pass, shared: dict[object, Made] | None = None) -> None:
        self.run = run
        self.tokens = run.batch * run.time
        self.ids = run.batch * (run.time + run.learns)
        """Token ids that are read: a sequence that is learned from has one more, the last target."""
        self.shared = {} if shared is None else shared
        self.steps: list[Step] = []
        self.kept_bytes: dict[str, int] = {}
        """Kept for the backward pass, by part, without what layers share."""
        self.shared_bytes: dict[str, int] = {}
        """The same of what layers share and this stretch was the first to keep."""
        self.copies = 1
        """Modules with weights of their own among which the numbers are divided: the experts of a mixture."""
        self.alive_bytes = self.most_bytes = 0
        """What lives now of the forward pass if nothing is kept, and the most that ever did."""
        self.matrices: list[tuple[int, int, int]] = []
        """Rows, columns and number of the matrices that are multiplied with."""
        self._part = ""
        self._own: list[Storage] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what is kept as that of a part, the outermost of several. All that it makes lives to its end,
        unless it is freed, and its result beyond."""
        before, self._part = self._part, self._part or name
        first = len(self._own)
        yield
        self._part = before
        if self._own:
            result = self.steps[-1].made.storage
            over, self._own[first:] = self._own[first:], [s for s in self._own[first:] if s is result]
            self.alive_bytes -= sum(storage.bytes for storage in over if storage is not result)

    def make(
        self,
        numbers: int,
        size: int,
        *inputs: Made,
        keeps: tuple[Made | int, ...] = (),
        weights: int = 0,
        extra: int = 0,
        rounded: int = 0,
        passes: bool = False,
    ) -> Made:
        """A new tensor.

        Args:
            inputs: Tensors that it is made from and that learn.
            keeps: What the backward pass needs: tensors, or bytes of what is known to nobody else.
            weights: Parameters of the step.
            extra: Bytes that the backward pass needs for a moment.
            rounded: Bytes of gradients of parameters in bfloat16, before they become float32.
            passes: Whether the gradient of the result is that of the inputs, unchanged.
        """
        storage = Storage(numbers * size)
        made = Made(numbers, size, storage)
        if self.run.learns:
            kept = tuple([self._kept(each) for each in keeps]) if keeps else ()
            self.steps.append(Step(made, inputs, kept, weights, extra, rounded, passes))
            return made
        self.steps.append(Step(made, inputs, (), weights, extra, rounded, passes))
        self._own.append(storage)
        self.alive_bytes += storage.bytes
        self.most_bytes = max(self.most_bytes, self.alive_bytes)
        return made

    def learn(self, weights: int, *keeps: Made | int) -> None:
        """Let the last step have parameters too, and keep what they need."""
        self.steps[-1].weights += weights
        self.keep(*keeps)

    def keep(self, *what: Made | int) -> None:
        """Let the last step keep more: its own result, or bytes."""
        if self.run.learns:
            self.steps[-1].keeps += tuple(self._kept(each) for each in what)

    def free(self, *tensors: Made) -> None:
        """Count tensors as gone before their part ends, if nothing keeps them."""
        for tensor in tensors if self._own else ():
            if tensor.storage in self._own:
                self._own.remove(tensor.storage)
                self.alive_bytes -= tensor.storage.bytes

    def once(self, key: object, numbers: int, size: int) -> Made:
        """A tensor that all layers share and that learns nothing."""
        made = self.shared.get(key)
        if made is None:
            made = self.shared[key] = Made(numbers, size, Storage(numbers * size, shared=True))
        return made

    def view(self, x: Made, numbers: int) -> Made:
        """A part of a tensor, in the same memory."""
        made = Made(numbers, x.size, x.storage)
        self.steps.append(Step(made, (x,), (), 0, 0, 0, numbers == x.numbers))
        return made

    def copy(self, x: Made, size: int | None = None) -> Made:
        """The same numbers in memory of their own, of `size` bytes each."""
        return self.make(x.numbers, size or x.size, x)

    def scale(self, x: Made) -> Made:
        """Times a number, which takes the place of what it was."""
        made = self.make(x.numbers, x.size, x)
        self.free(x)
        return made

    def clamp(self, x: Made) -> Made:
        """Bounded numbers: what was within the bounds is known from the argument."""
        return self.make(x.numbers, x.size, x, keeps=(x,))

    def add(self, *inputs: Made) -> Made:
        """The sum of tensors, as exact as the most exact of them."""
        numbers, size = max([x.numbers for x in inputs]), max([x.size for x in inputs])
        return self.make(numbers, size, *inputs, passes=True)

    def multiply(self, x: Made, other: Made) -> Made:
        """The product of two tensors that learn both."""
        numbers = max(x.numbers, other.numbers)
        size = max(x.size, other.size)
        broadcast = numbers * size if x.numbers != other.numbers else 0  # one gradient is summed up
        return self.make(numbers, size, x, other, keeps=(x, other), extra=broadcast)

    def low(self, x: Made) -> Made:
        """What a product of matrices reads: in bfloat16 under autocast."""
        return self.copy(x, BFLOAT16) if self.run.autocast and x.size > BFLOAT16 else x

    def low_size(self, x: Made) -> int:
        """Bytes of its numbers."""
        return BFLOAT16 if self.run.autocast else x.size

    def linear(self, x: Made, inputs: int, outputs: int, bias: bool = False) -> Made:
        """A linear map, which keeps what it reads, and under autocast its weights in bfloat16."""
        read = self.low(x)
        weights = self.copies * inputs * outputs
        self.matrices.append((outputs, inputs, self.copies))
        rounded = (BFLOAT16 * weights,) if self.run.autocast else ()
        return self.make(
            x.numbers // inputs * outputs,
            read.size,
            read,
            keeps=(read, *rounded),
            weights=weights + (self.copies * outputs if bias else 0),
            rounded=BFLOAT16 * weights if self.run.autocast else 0,
        )

    def activate(self, x: Made, name: str) -> Made:
        """An activation.

        Raises:
            ValueError: it was registered without what it keeps.
        """
        if name not in KEPT:
            raise ValueError(
                f"the activation `{name}` does not say what it keeps for the backward pass; register it with "
                f'`@activation("{name}", Kept(...))`'
            )
        kept = KEPT[name]
        if name == "identity":
            return x
        inside = (kept.inside * x.numbers * x.size,) if kept.inside else ()
        made = self.make(x.numbers, x.size, x, keeps=(*((x,) if kept.input else ()), *inside))
        if kept.output:
            self.keep(made)
        return made

    def dropout(self, x: Made, rate: float) -> Made:
        """Some numbers dropped: a factor for each is kept, on a GPU a truth value."""
        if not (rate and self.run.learns):
            return x
        return self.make(x.numbers, x.size, x, keeps=(x.numbers * (1 if self.run.cuda else x.size),))

    def _kept(self, what: Made | int) -> Storage:
        storage = Storage(what) if isinstance(what, int) else what.storage
        if not storage.keepers:
            total = self.shared_bytes if storage.shared else self.kept_bytes
            total[self._part] = total.get(self._part, 0) + storage.bytes
        storage.keepers += 1
        return storage
