"""The loss of predicting each next token, with logits that need not all exist at once."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from gpt_zoo.model import GPTModel


def next_token_loss(
    model: GPTModel,
    windows: Int[Tensor, "batch time_and_one"],
    autocast: bool = False,
    chunks: int = 1,
) -> Float[Tensor, ""]:
    """The mean cross-entropy of each next token, in nats, in float32. No name holds the logits afterwards.

    Args:
        autocast: Whether products are computed in bfloat16, whatever the weights are.
        chunks: Parts of the tokens whose logits exist one after the other. Their gradients are computed along
            with them, so that the backward pass needs no logits: it takes as many FLOPs, and of the memory of
            B·T·V logits and their gradient a part.
    """
    inputs, targets = windows[:, :-1], windows[:, 1:].flatten()  # (B, T), (B·T)
    with computing_in_bfloat16(windows.device.type) if autocast else nullcontext():
        hidden = model.hidden(inputs).flatten(0, 1)  # (B·T, D)
        if chunks > 1 and torch.is_grad_enabled():
            weights = [weight for weight in model.head.parameters() if weight.requires_grad]
            loss: Tensor = _ChunkedLoss.apply(hidden, targets, model.head, chunks, *weights)  # type: ignore[no-untyped-call]
            return loss
        logits = model.head(hidden)  # (B·T, V)
    del hidden
    return F.cross_entropy(logits.float(), targets)


@torch.no_grad()
def summed_loss(
    model: GPTModel,
    inputs: Int[Tensor, "batch time"],
    targets: Int[Tensor, "batch time"],
    autocast: bool = False,
    chunks: int = 1,
) -> Float[Tensor, ""]:
    """The sum of the cross-entropies of `targets`, in nats; arguments as for `next_token_loss`."""
    total = torch.zeros((), device=inputs.device)
    with computing_in_bfloat16(inputs.device.type) if autocast else nullcontext():
        hidden = model.hidden(inputs).flatten(0, 1)  # (B·T, D)
        for part, wanted in zip(hidden.chunk(chunks), targets.flatten().chunk(chunks), strict=True):
            total += F.cross_entropy(model.head(part).float(), wanted, reduction="sum")
    return total


def computing_in_bfloat16(device_type: str) -> AbstractContextManager[None]:
    """Products in bfloat16, norms and softmax in float32, as torch's autocast has it."""
    return torch.autocast(device_type, dtype=torch.bfloat16)


class _ChunkedLoss(torch.autograd.Function):
    """The cross-entropy of a head's logits, and its gradients, part by part."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, targets: Tensor, head: nn.Module, chunks: int, *weights: Tensor
    ) -> Tensor:
        total = torch.zeros((), device=hidden.device)
        hidden_grad = torch.empty_like(hidden)
        weight_grads = [torch.zeros_like(weight) for weight in weights]
        parts = zip(
            hidden.detach().chunk(chunks), targets.chunk(chunks), hidden_grad.chunk(chunks), strict=True
        )
        for part, wanted, part_grad in parts:
            with torch.enable_grad():
                part = part.requires_grad_()
                logits = head(part).float()
                loss = F.cross_entropy(logits, wanted, reduction="sum") / targets.numel()
                del logits
            gradient, *added = torch.autograd.grad(loss, (part, *weights))
            part_grad.copy_(gradient)
            torch._foreach_add_(weight_grads, added)
            total += loss.detach()
            del gradient, added  # or they would stand beside those of the next part
        ctx.save_for_backward(hidden_grad, *weight_grads)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        hidden_grad, *weight_grads = ctx.saved_tensors
        scaled = torch._foreach_mul([hidden_grad, *weight_grads], gradients[0])
        return scaled[0], None, None, None, *scaled[1:]
