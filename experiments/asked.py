"""What a run was asked to do, read back from its folder without the packages that carried it out."""

from typing import Any

from experiments.masking import mask_secrets
from experiments.objectives import DEFAULT_OBJECTIVES, find_objective
from experiments.run_folder import RunFolder
from registry.yaml_source import load_document


def load_asked(run: RunFolder) -> dict[str, Any]:
    """The resolved experiment as plain data, passwords masked; empty where the file is missing.

    Raises:
        DeclarationError: (a ValueError) the file is no YAML mapping.
    """
    if not run.experiment.exists():
        return {}
    masked: dict[str, Any] = mask_secrets(load_document(run.experiment).data)
    return masked


def load_objectives(run: RunFolder) -> list[str]:
    """Names of the objectives of a run, those of any experiment where it names none.

    Raises:
        ValueError: nothing recorded has that name, or experiment.yaml cannot be read.
    """
    names = load_asked(run).get("objectives") or DEFAULT_OBJECTIVES
    return [find_objective(str(name)).name for name in names]
