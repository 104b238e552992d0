"""Lion, which torch does not have."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from gpt_zoo.cost.optimizers import LION_PART_BYTES
from gpt_zoo.parts import parts_of


class Lion(torch.optim.Optimizer):
    """Steps of the same size for each weight, in the direction of the sign of a momentum.

    Source: Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675, Algorithm 2.
    Symbols: g gradient, m momentum, η learning rate, λ weight decay.
        θ ← θ - η·(sign(β₁·m + (1 - β₁)·g) + λ·θ), then m ← β₂·m + (1 - β₂)·g.
    Cost: one number of state for each weight, half of AdamW's.

    Args:
        lr: η. The paper takes a third to a tenth of AdamW's, and λ larger by as much.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of all weights that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            stepped = [weight for weight in group["params"] if weight.grad is not None]
            for weights in parts_of(stepped, lambda weight: weight.nbytes, LION_PART_BYTES):
                self._step(weights, **{name: group[name] for name in ("lr", "betas", "weight_decay")})
        return loss

    def _step(
        self, weights: list[Tensor], lr: float, betas: tuple[float, float], weight_decay: float
    ) -> None:
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        momenta = [self._momentum(weight) for weight in weights]
        torch._foreach_mul_(weights, 1 - lr * weight_decay)
        updates = torch._foreach_lerp(momenta, gradients, 1 - betas[0])
        torch._foreach_sign_(updates)
        torch._foreach_add_(weights, updates, alpha=-lr)
        torch._foreach_lerp_(momenta, gradients, 1 - betas[1])

    def _momentum(self, weight: Tensor) -> Tensor:
        state: dict[str, Tensor] = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        return state["momentum"]
