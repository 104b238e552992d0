"""The optimizer of a training."""

import torch
from torch import nn

from experiments.training.config import TrainingConfig


def build_optimizer(model: nn.Module, training: TrainingConfig) -> torch.optim.AdamW:
    """AdamW which decays matrices and tables, but neither biases nor norms.

    Source: Loshchilov and Hutter 2017, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
    """
    parameters = list(model.parameters())
    on_cuda = parameters[0].device.type == "cuda"
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": training.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=training.learning_rate,
        betas=training.betas,
        fused=on_cuda,
    )
