"""The weights of a training: which of them the optimizers step, and how a step of them reaches the model."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from gpt_zoo.cost.optimizers import PART_BYTES
from gpt_zoo.parts import parts_of


class Weights(Protocol):
    """What optimizers step."""

    def named(self) -> list[tuple[str, nn.Parameter]]:
        """What is stepped, in float32, by the model's names; a tied tensor once."""

    def add_up(self) -> None:
        """Add the gradients that the model has to those of the batches before, of the same step."""

    def step(self, optimizers: Sequence[torch.optim.Optimizer], clip: float | None) -> None:
        """Step by the gradients that the model has, or that were added up, and forget them.

        Args:
            clip: Largest norm of the whole gradient; a longer one is scaled down to it.
        """

    def forget(self) -> None:
        """Let go of the gradients."""

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take up what `named` told of another training."""


class PlainWeights:
    """The model's own parameters.

    Args:
        keep_gradients: Where they are, as zeros, instead of letting go of them.
    """

    def __init__(self, model: nn.Module, keep_gradients: bool = False) -> None:
        self._named = list(model.named_parameters())
        self._keep = keep_gradients

    def named(self) -> list[tuple[str, nn.Parameter]]:
        """See `Weights`."""
        return self._named

    def add_up(self) -> None:
        """Nothing: the backward pass adds, in float32."""

    def step(self, optimizers: Sequence[torch.optim.Optimizer], clip: float | None) -> None:
        """See `Weights`."""
        if clip is not None:
            nn.utils.clip_grad_norm_([parameter for _, parameter in self._named], clip)
        for optimizer in optimizers:
            optimizer.step()
        self.forget()

    def forget(self) -> None:
        """See `Weights`."""
        _forget((parameter for _, parameter in self._named), self._keep)

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        """See `Weights`."""
        for name, parameter in self._named:
            parameter.copy_(tensors[name])


class MasterWeights:
    """A bfloat16 model, of whose weights the optimizers step a float32 copy, the masters.

    A step is often smaller than the distance of two bfloat16 numbers: the masters add up what the model's
    weights could not hold. Gradients are turned to float32 part by part, so that a step needs 16 bytes a
    parameter, as a training in float32 does: 2 + 2 for the model and its gradients, 4 + 8 for the masters and
    AdamW's moments.

    Source: Micikevicius et al. 2017, "Mixed Precision Training", section 3.1, arXiv:1710.03740.

    Args:
        model: Its parameters become bfloat16.
        keep_gradients: Where they are, as zeros, instead of letting go of them.
    """

    def __init__(self, model: nn.Module, keep_gradients: bool = False) -> None:
        self._keep = keep_gradients
        named = list(model.named_parameters())
        self._masters = [(name, nn.Parameter(weight.detach().clone())) for name, weight in named]
        self._weights = [weight for _, weight in named]
        for weight in self._weights:  # and no buffer: places and angles need more digits
            weight.data = weight.data.bfloat16()
        self._summed: list[Tensor] | None = None

    def named(self) -> list[tuple[str, nn.Parameter]]:
        """See `Weights`."""
        return self._masters

    @torch.no_grad()
    def add_up(self) -> None:
        """Put the gradients of one batch of several aside, in float32: bfloat16 would lose of their sum."""
        if self._summed is None:
            self._summed = [torch.zeros_like(master) for _, master in self._masters]
        for total, weight in zip(self._summed, self._weights, strict=True):
            if weight.grad is not None:
                total += weight.grad
                _forget([weight], self._keep)

    @torch.no_grad()
    def step(self, optimizers: Sequence[torch.optim.Optimizer], clip: float | None) -> None:
        """See `Weights`."""
        gradients = self._gradients()
        scale = None if clip is None else _shortening([g for g in gradients if g is not None], clip)
        for part in parts_of(range(len(gradients)), self._size, PART_BYTES):
            for index in part:
                master = self._masters[index][1]
                if (gradient := gradients[index]) is not None:
                    master.grad = gradient.float() if scale is None else gradient.float().mul_(scale)
                gradients[index] = gradient = None
                _forget([self._weights[index]], self._keep)
            for optimizer in optimizers:
                optimizer.step()
            for index in part:
                self._masters[index][1].grad = None
        self._write()

    def forget(self) -> None:
        """See `Weights`."""
        _forget(self._weights, self._keep)

    def _size(self, index: int) -> int:
        """Bytes of a master."""
        return self._masters[index][1].nbytes

    def _gradients(self) -> list[Tensor | None]:
        summed, self._summed = self._summed, None
        return list(summed) if summed is not None else [weight.grad for weight in self._weights]

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        """See `Weights`."""
        for name, master in self._masters:
            master.copy_(tensors[name])
        self._write()

    def _write(self) -> None:
        """The masters, rounded, into the model."""
        torch._foreach_copy_(tuple(self._weights), tuple(master for _, master in self._masters))


def _forget(weights: Iterable[nn.Parameter], keep: bool) -> None:
    for weight in weights:
        if keep and weight.grad is not None:
            weight.grad.zero_()
        else:
            weight.grad = None


def _shortening(gradients: list[Tensor], clip: float) -> Tensor:
    """What a gradient is multiplied with so that its norm is `clip` at most."""
    norms = torch._foreach_norm(gradients, 2, torch.float32)
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return (clip / (norm + 1e-6)).clamp(max=1.0)


def build_weights(model: nn.Module, precision: str, keep_gradients: bool = False) -> Weights:
    """What optimizers step of a model that computes in a precision: masters for `bfloat16_master`."""
    kind = MasterWeights if precision == "bfloat16_master" else PlainWeights
    return kind(model, keep_gradients)
