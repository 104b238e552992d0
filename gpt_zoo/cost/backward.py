"""The backward pass, told step by step: when gradients come and what was saved goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from gpt_zoo.config.tape import Made, Step
from gpt_zoo.cost.passes import Stretch, TracedModel


@dataclass(frozen=True)
class Moment:
    """A part of a step, with what lives then beside weights and optimizer state.

    Args:
        name: What is done.
        gradients: Bytes of gradients of parameters when it begins.
        saved: Bytes that are still saved then.
        transient: The most that it needs beside them.
    """

    name: str
    gradients: int
    saved: int
    transient: int

    @property
    def sum(self) -> int:
        """All that lives."""
        return self.gradients + self.saved + self.transient


def backward_moments(traced: TracedModel, size: int, resident: bool) -> Iterator[Moment]:
    """The backward pass through the head, each layer and the embeddings.

    Args:
        size: Bytes of a gradient's number.
        resident: Whether the gradients of all parameters exist already, and these are added to them.
    """
    first = _Unwound(traced.head, size, resident)
    layers = [_Unwound(layer, size, resident) for layer in traced.layers]
    last = _Unwound(traced.embedding, size, resident)
    pieces = [(first, 1), (last, 1)]
    pieces += [(layer, traced.order.count(number)) for number, layer in enumerate(layers)]
    gradients = sum(count * piece.gradients for piece, count in pieces) if resident else 0
    saved = traced.shared + sum(count * piece.stretch.kept for piece, count in pieces)
    if traced.part is not None:
        part = _Unwound(traced.part, size, resident=False)
        yield Moment(traced.part.name, gradients, saved + traced.part.kept, part.most)
    yield Moment(f"backward of {traced.head.name}", gradients, saved, first.most)
    # Of a tied table the head's gradient waits for that of the embeddings.
    gradients += size * traced.tied if resident else first.gradients
    saved -= traced.head.kept
    index = len(traced.order) - 1
    for number, run in groupby(reversed(traced.order)):
        layer, length = layers[number], len(list(run))
        growth = 0 if resident else layer.gradients
        # Among layers that are alike the sum rises or falls all the way: the first or the last has the most.
        for passed in {0, length - 1}:
            yield Moment(
                f"backward of layer {index - passed}",
                gradients + passed * growth,
                saved - passed * layer.stretch.kept,
                layer.most,
            )
        gradients += length * growth
        saved -= length * layer.stretch.kept
        index -= length
    yield Moment(f"backward of {traced.embedding.name}", gradients, saved, last.most)


class _Unwound:
    """The backward pass of a stretch.

    `most` is the most that it needs beside what lives when it begins, the gradient of its result included;
    `gradients` the bytes of those of its parameters.
    """

    def __init__(self, stretch: Stretch, size: int, resident: bool) -> None:
        self.stretch, self.size, self.resident = stretch, size, resident
        self.gradients = size * sum(step.weights for step in stretch.tape.steps)
        result = stretch.made
        self._live = result.numbers * result.size
        result.gradient = [self._live, 1]
        self.most = self._live + stretch.again
        self._live += stretch.again
        for step in reversed(stretch.tape.steps):
            self._undo(step)

    def _undo(self, step: Step) -> None:
        gradient = step.made.gradient
        if gradient is None:
            self._release(step)
            return
        arrived = [(x, self._gradient_of(x, gradient, step.passes)) for x in step.inputs]
        weights = step.weights * self.size
        self._live += step.rounded or weights
        self.most = max(self.most, self._live + step.extra)
        self._drop(gradient)
        step.made.gradient = None
        self._release(step)
        if step.rounded:
            self._live += weights
            self.most = max(self.most, self._live)
            self._live -= step.rounded
        if self.resident:
            self._live -= weights
        for x, own in arrived:
            self._sum_up(x, own)

    def _release(self, step: Step) -> None:
        for storage in step.keeps:
            storage.keepers -= 1
            if not (storage.keepers or storage.shared):
                self._live -= storage.bytes

    def _gradient_of(self, x: Made, gradient: list[int], passes: bool) -> list[int]:
        size = x.numbers * x.size
        if passes and size == gradient[0]:
            gradient[1] += 1
            return gradient
        self._live += size
        return [size, 1]

    def _sum_up(self, x: Made, arrived: list[int]) -> None:
        """A second gradient of the same tensor is added to the first, in place if nobody else has it."""
        if x.storage.shared:  # that of all layers together is small: gone once it is added
            self._drop(arrived)
        elif x.gradient is None:
            x.gradient = arrived
        elif x.gradient[1] == 1 or arrived[1] > 1:
            self._drop(arrived)
        else:
            self._drop(x.gradient)
            x.gradient = arrived

    def _drop(self, gradient: list[int]) -> None:
        gradient[1] -= 1
        if not gradient[1]:
            self._live -= gradient[0]
