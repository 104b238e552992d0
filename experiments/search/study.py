"""The Optuna study of a search: opened, told, asked for what mattered."""

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from experiments.experiment import Experiment
from experiments.masking import mask_text
from experiments.objectives import find_objective
from experiments.record import Purpose
from experiments.run_folder import RunFolder

FOLDER = "run_folder"
"""Attribute of a trial: whose it is, where several searches share a storage."""
PURPOSE = "purpose"
"""Attribute of a trial that no sampler proposed: what it is for."""
STOPPED = "stopped"
"""Attribute of a trial that was stopped: the loss expected at its end, its deviation, the share spent."""


def open_study(run: RunFolder, experiment: Experiment) -> Study:
    """The study of a run, from its storage if it has begun.

    Raises:
        ValueError: the storage cannot be opened, or holds a study of this name with other objectives.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = storage_url(run, experiment)
    directions = [find_objective(name).direction for name in experiment.config.objectives]
    name = experiment.config.name
    try:
        study = optuna.create_study(
            storage=open_storage(url), study_name=name, directions=directions, load_if_exists=True
        )
    except (SQLAlchemyError, ImportError, ValueError, OSError, RuntimeError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ValueError(mask_text(f"the storage {url} cannot be opened: {first}")) from None
    if [direction.name.lower() for direction in study.directions] != directions:
        raise ValueError(
            mask_text(
                f"the storage {url} holds a study `{name}` with other objectives; name this one otherwise"
            )
        )
    return study


def open_storage(url: str) -> RDBStorage:
    """A storage that does not wait for the disk with each thing it is told, if it is a file of SQLite."""
    storage = RDBStorage(url)
    if storage.engine.dialect.name == "sqlite":
        event.listen(storage.engine, "connect", _write_ahead)
        storage.engine.dispose()  # what is connected already has not heard of it
    return storage


def _write_ahead(connection: sqlite3.Connection, _: object) -> None:
    # A process that is killed loses nothing; if the power fails, the last trials may be missing. Where a file
    # system cannot do it, SQLite stays with its journal.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def storage_url(run: RunFolder, experiment: Experiment) -> str:
    """Where the study of a run is kept."""
    return experiment.config.search.storage or f"sqlite:///{run.study.absolute()}"


@contextmanager
def storage_errors_explained(url: str) -> Iterator[None]:
    """Tell in a line what a storage that fails on the way has to say: a full disk, a server that is gone.

    Raises:
        OSError: in place of Optuna's own error.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        said = str(getattr(error.__cause__, "orig", None) or error.__cause__ or error).partition("\n")[0]
        raise OSError(
            mask_text(f"the storage {url} failed: {said}; the same call goes on from here")
        ) from error


def find_purpose(trial: Trial | FrozenTrial) -> Purpose:
    """Why a trial is trained."""
    return Purpose(trial.user_attrs.get(PURPOSE, Purpose.SEARCH))


def is_owned_by(trial: FrozenTrial, folder: Path) -> bool:
    """Whether a trial was begun by the search of this folder."""
    return bool(trial.user_attrs.get(FOLDER) == str(folder.absolute()))


def measure_importances(study: Study, objectives: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """How much each chosen value mattered for each objective: shares that add up to 1, by key path.

    Source: Watanabe et al. 2023, "PED-ANOVA", arXiv:2304.10255. Objectives for which the finished trials do
    not suffice are left out.
    """
    importances: dict[str, dict[str, float]] = {}

    def value_of(index: int, sign: int) -> Callable[[FrozenTrial], float]:
        return lambda trial: sign * trial.values[index]

    for index, name in enumerate(objectives):
        sign = 1 if find_objective(name).direction == "minimize" else -1  # the method takes lower as better
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # Optuna's own shares would be equal where it can tell nothing.
                found = optuna.importance.get_param_importances(
                    study, target=value_of(index, sign), normalize=False
                )
        except (ValueError, RuntimeError, ZeroDivisionError):
            continue  # too few trials, or all with the same values
        if (total := sum(found.values())) > 0:
            importances[name] = {parameter: value / total for parameter, value in found.items()}
    return importances
