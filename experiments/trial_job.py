"""What a process needs to know to train one model."""

from pathlib import Path

from pydantic import PositiveInt

from experiments.record import TrialRecord
from experiments.training.config import BudgetConfig, TrainingConfig
from gpt_zoo.config.base import Declared


class TrialJob(Declared):
    """One training, declared."""

    record: TrialRecord
    """The row as far as it is known before training: names, config, costs."""
    training: TrainingConfig
    budget: BudgetConfig
    points: PositiveInt | None = None
    """Of the learning curve, after which it is put down for the time being; None trains to the end."""
    tokens: Path
    """Folder of the tokenized corpus."""
    state: Path
    """File that keeps the training while it runs."""
    weights: Path
    """Folder for the trained weights, if they are to be kept."""
