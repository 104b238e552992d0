"""Real trainings that take a fraction of a second."""

from pathlib import Path
from typing import Any

import torch

from experiments.data.tokens import Tokens
from experiments.progress import Silent
from experiments.record import Status, TrialRecord
from experiments.training.config import BudgetConfig, TrainingConfig
from experiments.training.loop import Training
from experiments.trial_job import TrialJob
from gpt_zoo.config.gpt import GPTConfig

CPU = torch.device("cpu")


def tiny(**changes: Any) -> GPTConfig:
    sizes = {"vocab_size": 256, "context_length": 16, "emb_dim": 16, "n_heads": 2, "n_layers": 1}
    return GPTConfig.model_validate({**sizes, **changes})


def settings(**changes: Any) -> TrainingConfig:
    return TrainingConfig.model_validate({"threads": 1, "batch_size": 4, "evaluations": 3, **changes})


def begin(
    tokens: Tokens,
    config: GPTConfig | None = None,
    budget: dict[str, Any] | None = None,
    seed: int = 0,
    state: Path | None = None,
    **training: Any,
) -> Training:
    limit = BudgetConfig.model_validate(budget or {"steps": 6})
    return Training(config or tiny(), tokens, settings(**training), limit, seed, CPU, state)


def train(tokens: Tokens, config: GPTConfig | None = None, **arguments: Any) -> Training:
    training = begin(tokens, config, **arguments)
    training.run(Silent())
    return training


def job_for(tokens: Tokens, folder: Path, config: GPTConfig | None = None, **arguments: Any) -> TrialJob:
    budget = arguments.pop("budget", {"steps": 6})
    record = TrialRecord(
        trial=0,
        variant="tiny",
        seed=arguments.pop("seed", 0),
        status=Status.FAILED,
        config=(config or tiny()).model_dump(mode="json"),
        config_hash="",
    )
    return TrialJob(
        record=record,
        training=settings(**arguments),
        budget=BudgetConfig.model_validate(budget),
        tokens=tokens.folder,
        state=folder / "states" / "0.safetensors",
        weights=folder / "weights",
    )


class InterruptedAt(Silent):
    """A task whose watcher interrupts the training after some steps, as Ctrl-C does between two of them."""

    def __init__(self, updates: int) -> None:
        self.left = updates

    def update(self, done: float, note: str = "") -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
