"""A run folder belongs to one experiment: what is continued there must be what was begun."""

from typing import Any

from experiments.experiment import Experiment
from experiments.masking import mask_secrets
from experiments.run_folder import RunFolder, write_atomically
from registry.key_path import format_key_path
from registry.yaml_dump import dump_document
from registry.yaml_source import load_document

FREE = ("description", "search.trials", "search.storage", "training.checkpoint_seconds")
"""What may change between calls: it changes no number of any trial."""


def claim_folder(run: RunFolder, experiment: Experiment) -> None:
    """Write the resolved experiment to its folder, or hold it against the one that is there.

    Raises:
        ValueError: the folder holds trials of an experiment with other settings.
    """
    asked = mask_secrets(experiment.to_data())
    if run.experiment.exists():
        began = load_document(run.experiment).data
        # More seeds of the same variants are more rows; in a search they would be another experiment.
        free = (*FREE, "seeds") if experiment.space is None else FREE
        changed = [key for key in _differences(began, asked) if key not in free]
        if changed:
            raise ValueError(
                f"{run.path} holds another experiment: {', '.join(changed)} differ from its "
                f"{run.experiment.name}; give another run folder with --out, or delete this one"
            )
    write_atomically(run.experiment, dump_document(asked))


def _differences(old: Any, new: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Key paths at which two declarations differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [found for key in keys for found in _differences(old.get(key), new.get(key), (*path, key))]
    return [] if old == new else [format_key_path(path)]
