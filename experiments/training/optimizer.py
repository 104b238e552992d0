"""The optimizers of a training."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from experiments.training.config import TrainingConfig
from experiments.training.lion import Lion
from gpt_zoo.steps.optimizers import has_fused_adamw, is_turned_by_muon


def build_optimizers(
    named: Iterable[tuple[str, nn.Parameter]],
    training: TrainingConfig,
    rate_factors: Mapping[str, float] | None = None,
) -> list[torch.optim.Optimizer]:
    """Those that step a training: matrices and tables decay, neither biases nor norms do.

    Sources: AdamW: Loshchilov and Hutter 2017, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
        Lion: Chen et al. 2023, arXiv:2302.06675. Muon: Jordan et al. 2024, "Muon: An optimizer for hidden
        layers in neural networks", its steps as large as AdamW's, so that both share a learning rate and a
        decay: Liu et al. 2025, "Muon is Scalable for LLM Training", arXiv:2502.16982.

    Args:
        named: The parameters that are stepped, by their names in the model; those of one kind may be missing.
        rate_factors: Of the learning rate, by name; 1 where none is given. What a step decays by is the same
            for all: the decay is divided by the factor.

    Returns:
        One, or two where Muon leaves to AdamW what is no matrix of a layer; none that has nothing to step.
    """
    named = list(named)
    hidden = (
        [one for name, one in named if is_turned_by_muon(name, one)] if training.optimizer == "muon" else []
    )
    taken = {id(one) for one in hidden}
    others = [(name, one) for name, one in named if id(one) not in taken]
    optimizers: list[torch.optim.Optimizer] = []
    if hidden:
        optimizers.append(_muon(hidden, training))
    if others:
        adamw = partial(torch.optim.AdamW, fused=has_fused_adamw(others[0][1]))
        build = Lion if training.optimizer == "lion" else adamw
        groups = _groups(others, training, rate_factors or {})
        optimizers.append(build(groups, lr=training.peak_learning_rate, betas=training.betas))
    return optimizers


def set_learning_rate(
    optimizers: Iterable[torch.optim.Optimizer], training: TrainingConfig, factor: float
) -> None:
    """Let the next step be at `factor` of the peak, which is each group's own."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = training.peak_learning_rate * factor * group.get("rate_factor", 1.0)


def _muon(hidden: list[nn.Parameter], training: TrainingConfig) -> torch.optim.Optimizer:
    return torch.optim.Muon(
        hidden,
        lr=training.peak_learning_rate,
        weight_decay=training.weight_decay,
        momentum=training.momentum,
        adjust_lr_fn="match_rms_adamw",
    )


def _groups(
    named: list[tuple[str, nn.Parameter]], training: TrainingConfig, rate_factors: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Those that decay first, each with the parameters of one learning rate."""
    members: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for name, parameter in sorted(named, key=lambda one: one[1].ndim < 2):
        members.setdefault((parameter.ndim >= 2, rate_factors.get(name, 1.0)), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": training.peak_learning_rate * factor,
            "weight_decay": training.weight_decay / factor if decays else 0.0,
            "rate_factor": factor,
        }
        for (decays, factor), parameters in members.items()
    ]
