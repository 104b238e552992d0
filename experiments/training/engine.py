"""Model, weights and optimizers of a training, and how a step of them is computed."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Int
from torch import Tensor

from experiments.training.clock import PhaseClock
from experiments.training.config import TrainingConfig
from experiments.training.cuda_graph import GraphedStep, require_recordable
from experiments.training.multipliers import with_multipliers
from experiments.training.mup import mup_factors, scale_initial
from experiments.training.optimizer import build_optimizers, set_learning_rate
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.model import GPTModel
from gpt_zoo.steps.attention import use_attention
from gpt_zoo.steps.loss import next_token_loss
from gpt_zoo.steps.recompute import recompute_layers
from gpt_zoo.steps.weights import build_weights


class Engine:
    """Computes steps by the means that a training declares. Weights are drawn from torch's random state.

    Args:
        training: Without `auto`: see `experiments.tuning.resolve`.

    Raises:
        ValueError: something of `training` is still `auto`, or asks for a graph of what cannot be recorded.
    """

    def __init__(self, config: GPTConfig, training: TrainingConfig, device: torch.device) -> None:
        self.training = training
        self.model = GPTModel(with_multipliers(config, training)).to(device).train()
        factors = {}
        if training.parametrization == "mup":
            factors = mup_factors(config, training.base_width)
            scale_initial(self.model, factors)
        if training.attention_backend == "auto" or training.loss_chunks == "auto":
            raise ValueError(
                "an engine computes with what is settled, got `auto`; resolve the training first"
            )
        use_attention(self.model, training.attention_backend)
        self.chunks = training.loss_chunks
        if training.cuda_graphs == "on":
            require_recordable(config)
        if training.recompute:
            recompute_layers(self.model)
        self.weights = build_weights(self.model, training.precision, training.cuda_graphs == "on")
        rates = {name: factor.rate for name, factor in factors.items()}
        self.optimizers = build_optimizers(self.weights.named(), training, rates)
        self.clock = PhaseClock(device)
        self._replays = training.cuda_graphs == "on"
        self._graphs: dict[torch.Size, GraphedStep] = {}
        self._compile()

    @property
    def autocast(self) -> bool:
        """Whether products are computed in another precision than the weights have."""
        return self.training.precision == "bfloat16"

    def step(self, parts: Iterable[Int[Tensor, "batch time_and_one"]], factor: float) -> float:
        """Learn from the batches of one step, whose gradients are averaged; the mean of their losses.

        Args:
            parts: As many as the training accumulates gradients of.
            factor: The learning rate, as a share of its peak.
        """
        count = self.training.gradient_accumulation
        set_learning_rate(self.optimizers, self.training, factor)
        total: Tensor | None = None
        for windows in parts:
            loss = self._replay(windows) if self._replays else self._learn(windows)
            total = loss if total is None else total + loss
            if count > 1:
                self.weights.add_up()
        assert total is not None
        with self.clock.phase("optimizer"):
            self.weights.step(self.optimizers, self.training.gradient_clip)
            told = total.item()  # waits for the device
        self.clock.collect()
        return told

    def _learn(self, windows: Tensor) -> Tensor:
        """Gradients of one batch, added to those there are; its share of the loss."""
        with self.clock.phase("forward"):
            loss, learned = self._forward(windows)
        with self.clock.phase("backward"):
            learned.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """The share of the loss that is told, and what is learned from."""
        count = self.training.gradient_accumulation
        loss = self._loss(windows) / count
        auxiliary = self.model.auxiliary_loss()
        return loss, loss if auxiliary is None else loss + auxiliary / count

    def _loss(self, windows: Tensor) -> Tensor:
        return next_token_loss(self.model, windows, self.autocast, self.chunks)

    def _replay(self, windows: Tensor) -> Tensor:
        """The same as one piece, which is recorded where the shape is new; its time counts as backward."""

        def learn(windows: Tensor) -> Tensor:
            loss, learned = self._forward(windows)
            learned.backward()  # type: ignore[no-untyped-call]
            return loss.detach()

        if windows.shape not in self._graphs:
            self._graphs[windows.shape] = GraphedStep(learn, windows)
            self.weights.forget()  # recording has filled the gradients
        with self.clock.phase("backward"):
            return self._graphs[windows.shape](windows)

    def _compile(self) -> None:
        """By torch.compile, what is declared to be; it takes its time at the first step."""
        if self.training.compile == "regional":  # one code for all layers that are alike
            for block in self.model.blocks:
                block.compile()
        elif self.training.compile == "full":
            self._loss = torch.compile(self._loss)  # type: ignore[method-assign]
