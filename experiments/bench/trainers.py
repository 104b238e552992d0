"""Models that a contestant trains, each by the means of its library."""

from contextlib import nullcontext
from typing import Any, Protocol

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.bench.contenders import AS_IT_COMES, RECIPE
from experiments.bench.peers import PEERS
from experiments.training.allocator import keep_freed_memory
from experiments.training.config import TrainingConfig
from experiments.training.engine import Engine
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.steps.loss import computing_in_bfloat16


class Trainer(Protocol):
    """A model that can be trained."""

    model: nn.Module

    def step(self, windows: Int[Tensor, "batch time_and_one"]) -> float:
        """Learn from a batch; its loss, as soon as the step has ended."""


def build_trainer(asked: dict[str, Any], config: GPTConfig) -> Trainer:
    """The trainer that a contestant was asked to be."""
    if asked["library"] in PEERS:
        return PeerTrainer(asked["library"], asked["setting"], config, asked["device"])
    return OwnTrainer(config, TrainingConfig.model_validate(asked["training"]), asked["device"])


class OwnTrainer:
    """This package, as `gpt-zoo train` trains."""

    def __init__(self, config: GPTConfig, training: TrainingConfig, device: str) -> None:
        keep_freed_memory()
        self.engine = Engine(config, training, torch.device(device))
        self.model: nn.Module = self.engine.model

    def step(self, windows: Int[Tensor, "batch time_and_one"]) -> float:
        """See `Trainer`."""
        return self.engine.step([windows], 1.0)


class PeerTrainer:
    """Another library's model in the loop that its users write, or write with torch's means of speed."""

    def __init__(self, library: str, setting: str, config: GPTConfig, device: str) -> None:
        words = setting.split("+")
        if "malloc" in words:
            keep_freed_memory()
        self.device = device
        self.autocast = "autocast" in words
        with torch.device(device):
            self.model, forward = PEERS[library].build(config)
        self.model.train()
        self.forward = torch.compile(forward) if "compile" in words else forward
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=RECIPE.peak_learning_rate,
            betas=RECIPE.betas,
            weight_decay=RECIPE.weight_decay,
            fused=None if setting == AS_IT_COMES else True,
        )

    def step(self, windows: Int[Tensor, "batch time_and_one"]) -> float:
        """See `Trainer`."""
        loss = self._loss(windows)
        loss.backward()  # type: ignore[no-untyped-call]
        if RECIPE.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), RECIPE.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def _loss(self, windows: Tensor) -> Tensor:
        """Of a scope of its own, so that the logits are gone before the backward pass."""
        with computing_in_bfloat16(self.device) if self.autocast else nullcontext():
            logits = self.forward(windows[:, :-1])
        return F.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())
