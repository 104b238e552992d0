"""What a process needs to know to train one model."""

from pathlib import Path

from pydantic import PositiveInt

from experiments.record import TrialRecord
from experiments.run_folder import SWEEP
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
    sweep_seed: int = 0
    """Of the short trainings that find its learning rate, where that is `auto`: one for all seeds of a model,
    so that whichever asks first finds the same."""

    @property
    def sweep(self) -> Path:
        """File that keeps those of them that are finished."""
        return self.state.with_suffix(SWEEP)
