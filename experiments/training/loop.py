"""The training loop."""

import math
import sys
import time
import warnings
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.data.batches import TrainBatches
from experiments.data.tokens import Tokens
from experiments.progress import Task
from experiments.record import CurvePoint
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.evaluate import measure_validation_loss
from experiments.training.optimizer import build_optimizer
from experiments.training.schedule import learning_rate_factor
from experiments.training.spent import Spent
from experiments.training.state import identify_training, restore_state, save_state
from experiments.training.uninterrupted import uninterrupted
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import model_cost
from gpt_zoo.model import GPTModel


class DivergedError(Exception):
    """The loss is no longer a finite number."""


class Training:
    """The training of one model: the same config, data and seed give the same losses.

    Args:
        state_path: File in which the training is kept now and then, and continued from if it was interrupted.
            One that is damaged, or of another training, is passed over with a warning.

    Raises:
        DivergedError: (from `run`) the loss became NaN or infinite.
    """

    def __init__(
        self,
        config: GPTConfig,
        tokens: Tokens,
        training: TrainingConfig,
        budget: BudgetConfig,
        seed: int,
        device: torch.device,
        state_path: Path | None = None,
    ) -> None:
        self.training, self.tokens, self.device = training, tokens, device
        self.state_path = state_path
        torch.manual_seed(seed)
        self.model = GPTModel(config).to(device).train()
        self.optimizer = build_optimizer(self.model, training)
        self.batches = TrainBatches(tokens.train, config.context_length, training.batch_size, seed)
        self.cost = model_cost(config)
        self.tokens_per_step = training.tokens_per_step(config.context_length)
        self.steps = budget.steps_for(self.cost, self.tokens_per_step)
        self.seconds = budget.seconds
        self.spent = Spent()
        self.identity = identify_training(config, tokens, training, budget, seed)
        if state_path is not None and state_path.exists():
            try:
                restore_state(state_path, self.identity, self.model, self.optimizer, self.spent)
            except ValueError as error:
                warnings.warn(f"{error}; the training starts anew", stacklevel=2)

    def run(self, task: Task) -> Spent:
        """Train until the budget is spent, telling `task` the share of it and the loss."""
        saved = time.monotonic()
        while self.progress() < 1 or self.spent.evaluation_due:
            if self.spent.evaluation_due:
                self._evaluate()
            else:
                with uninterrupted():
                    self._step()
            task.update(self.progress(), self._note())
            if time.monotonic() - saved > self.training.checkpoint_seconds:
                self.save_state()
                saved = time.monotonic()
        return self.spent

    def progress(self) -> float:
        """Share of the budget that is spent."""
        if self.steps is not None:
            return self.spent.step / self.steps
        return min(1.0, self.spent.seconds / (self.seconds or math.inf))

    def save_state(self) -> None:
        """Keep all that is needed to go on as if nothing had happened.

        Where that fails, the training itself goes on: it may well end before it is interrupted.
        """
        if self.state_path is None:
            return
        try:
            save_state(self.state_path, self.identity, self.model, self.optimizer, self.spent)
        except OSError as error:
            print(f"this training is not kept for now: {error}", file=sys.stderr)

    def _step(self) -> None:
        start = time.perf_counter()
        points = self._points_reached()
        ahead = self.progress() if self.steps is None else (self.spent.step + 1) / self.steps
        factor = learning_rate_factor(
            ahead, self.training.warmup_fraction, self.training.final_learning_rate_fraction
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.training.learning_rate * factor
        loss = self._accumulate_gradients()
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss} at step {self.spent.step + 1}")
        if self.training.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.training.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.spent.step += 1
        self.spent.loss_sum += loss
        self.spent.loss_steps += 1
        self.spent.seconds += time.perf_counter() - start
        self.spent.evaluation_due = self._points_reached() > points

    def _accumulate_gradients(self) -> float:
        """The loss of one step, whose gradients are then in the parameters."""
        parts = self.training.gradient_accumulation
        total = 0.0
        for part in range(parts):
            windows = torch.from_numpy(self.batches.batch(self.spent.step * parts + part)).to(self.device)
            loss = self._loss(windows) / parts
            auxiliary = self.model.auxiliary_loss()  # is learned from, and no part of the loss that is told
            learned = loss if auxiliary is None else loss + auxiliary / parts
            learned.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def _loss(self, windows: Tensor) -> Tensor:
        """The cross-entropy of each next token. The logits are gone when it is learned from."""
        inputs, targets = windows[:, :-1], windows[:, 1:]  # (B, T) each
        bfloat16 = self.training.precision == "bfloat16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bfloat16):
            logits = self.model(inputs)  # (B, T, V)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())

    def _points_reached(self) -> int:
        """How many points of the curve the training has come to; all of them at its end."""
        points = self.training.evaluations
        if self.steps is not None:  # in whole numbers: a product of shares may be a bit too small
            return self.spent.step * points // self.steps
        return points if self.progress() >= 1 else min(math.floor(self.progress() * points), points - 1)

    def _evaluate(self) -> None:
        loss = measure_validation_loss(
            self.model, self.tokens.validation, self.training.batch_size, self.training.precision
        )
        if not math.isfinite(loss):
            raise DivergedError(f"the validation loss became {loss} at step {self.spent.step}")
        with uninterrupted():
            self._add_point(loss)

    def _add_point(self, validation_loss: float) -> None:
        spent = self.spent
        tokens = spent.step * self.tokens_per_step
        spent.curve.append(
            CurvePoint(
                step=spent.step,
                tokens=tokens,
                train_flops=self.cost.flops_train(tokens),
                seconds=spent.seconds,
                train_loss=spent.loss_sum / spent.loss_steps,
                validation_loss=validation_loss,
            )
        )
        spent.loss_sum, spent.loss_steps, spent.evaluation_due = 0.0, 0, False

    def _note(self) -> str:
        """The loss, for whoever watches."""
        spent = self.spent
        if spent.loss_steps:
            return f"loss {spent.loss_sum / spent.loss_steps:.3f}"
        return f"validation loss {spent.curve[-1].validation_loss:.3f}"
