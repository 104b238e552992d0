"""The training loop."""

import math
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from experiments.data.batches import TrainBatches
from experiments.data.prefetch import BatchLoader
from experiments.data.tokens import Tokens
from experiments.progress import Task
from experiments.record import CurvePoint
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.engine import Engine
from experiments.training.evaluate import measure_validation_loss
from experiments.training.memory import MemoryMeter, tracked_step
from experiments.training.ramp import batch_of_step, sequences_before, tokens_after
from experiments.training.schedule import learning_rate_factor
from experiments.training.spent import Spent
from experiments.training.state import identify_training, restore_state, save_state
from experiments.training.uninterrupted import uninterrupted
from experiments.tuning import resolve
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import model_cost


class DivergedError(Exception):
    """The loss is no longer a finite number."""


class Training:
    """The training of one model: the same config, data and seed give the same losses.

    Args:
        state_path: File in which the training is kept now and then, and continued from if it was interrupted.
            One that is damaged, or of another training, is passed over with a warning.
        meter: Measures memory from before the model is built.

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
        meter: MemoryMeter | None = None,
    ) -> None:
        self.tokens, self.device = tokens, device
        self.state_path = state_path
        self.meter = meter or MemoryMeter(device)
        torch.manual_seed(seed)
        self.cost = model_cost(config)
        self.steps = budget.steps_for(self.cost, training)
        # Whoever knows the device has settled this; without, the plain means are taken.
        self.training = training = resolve(training, config, device.type, None, self.steps)
        self.engine = Engine(config, training, device)
        self.model = self.engine.model
        self.batches = TrainBatches(tokens.train, config.context_length, seed)
        self.loader = BatchLoader(self.batches, device)
        self.seconds = budget.seconds
        self.spent = Spent()
        self.identity = identify_training(config, tokens, training, budget, seed)
        if state_path is not None and state_path.exists():
            try:
                restore_state(state_path, self.identity, self.engine, self.spent)
            except ValueError as error:
                warnings.warn(f"{error}; the training starts anew", stacklevel=2)

    def run(self, task: Task, points: int | None = None) -> Spent:
        """Train until the budget is spent, telling `task` the share of it and the loss.

        Args:
            points: Of the learning curve, after which the training pauses; None for none.
        """
        start = time.perf_counter()
        try:
            return self._run(task, points)
        finally:
            self.spent.loop_seconds += time.perf_counter() - start
            self.loader.close()

    def _run(self, task: Task, points: int | None) -> Spent:
        saved = time.monotonic()
        while not (self.is_over() or self._is_due(points)):
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

    def is_over(self) -> bool:
        """Whether the budget is spent, and what it bought is measured."""
        return self.progress() >= 1 and not self.spent.evaluation_due

    def progress(self) -> float:
        """Share of the budget that is spent."""
        if self.steps is not None:
            return self.spent.step / self.steps
        return min(1.0, self.spent.seconds / (self.seconds or math.inf))

    def _is_due(self, points: int | None) -> bool:
        """Whether so many points of the curve are reached and measured."""
        return points is not None and self._points_reached() >= points and not self.spent.evaluation_due

    def tokens_seen(self) -> int:
        """Tokens of all steps so far."""
        return tokens_after(self.training, self.spent.step, self.model.config.context_length)

    def epochs(self) -> float:
        """Passes over the training text so far."""
        return sequences_before(self.training, self.spent.step) / self.batches.windows_per_epoch

    def save_state(self) -> None:
        """Keep all that is needed to go on as if nothing had happened.

        Where that fails, the training itself goes on: it may well end before it is interrupted.
        """
        if self.state_path is None:
            return
        try:
            save_state(self.state_path, self.identity, self.engine, self.spent)
        except OSError as error:
            print(f"this training is not kept for now: {error}", file=sys.stderr)

    def _step(self) -> None:
        start = time.perf_counter()
        points = self._points_reached()
        ahead = self.progress() if self.steps is None else (self.spent.step + 1) / self.steps
        factor = learning_rate_factor(ahead, self.training)
        if self._is_tracked_next():
            with (
                self.meter.leaving_out(),
                tracked_step(self.device, self.model, self.engine.optimizers) as tracked,
            ):
                loss = self.engine.step(self._batches(), factor)
            self.spent.tracked_bytes = tracked.bytes
        else:
            loss = self.engine.step(self._batches(), factor)
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss} at step {self.spent.step + 1}")
        self.spent.step += 1
        self.spent.loss_sum += loss
        self.spent.loss_steps += 1
        self.spent.seconds += time.perf_counter() - start
        self.spent.evaluation_due = self._points_reached() > points

    def _is_tracked_next(self) -> bool:
        """Whether the next step is watched for its memory: the second with batches of full size, if it is not
        the last, of which the system's count is to be read."""
        ramp = self.training.batch_ramp
        wanted = 1 if ramp is None else ramp.steps + 1
        return self.spent.step == wanted and (self.steps is None or self.steps > wanted + 1)

    def _batches(self) -> Iterator[Tensor]:
        """Those of the next step, (B, T + 1) each."""
        size = batch_of_step(self.training, self.spent.step)
        first = sequences_before(self.training, self.spent.step)
        for part in range(self.training.gradient_accumulation):
            with self.engine.clock.phase("data"):
                windows = self.loader.load(first + part * size, size)
            yield windows

    def _points_reached(self) -> int:
        """How many points of the curve the training has come to; all of them at its end."""
        points = self.training.evaluations
        if self.steps is not None:  # in whole numbers: a product of shares may be a bit too small
            return self.spent.step * points // self.steps
        return points if self.progress() >= 1 else min(math.floor(self.progress() * points), points - 1)

    def _evaluate(self) -> None:
        engine = self.engine
        with engine.clock.phase("evaluation"):
            loss = measure_validation_loss(
                self.model, self.tokens.validation, self.training.batch_size, engine.autocast, engine.chunks
            )
        if not math.isfinite(loss):
            raise DivergedError(f"the validation loss became {loss} at step {self.spent.step}")
        with uninterrupted():
            self._add_point(loss)

    def _add_point(self, validation_loss: float) -> None:
        spent = self.spent
        tokens = self.tokens_seen()
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
