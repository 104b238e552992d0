"""A run folder belongs to one experiment: what is continued there must be what was begun."""

from typing import Any

from experiments.experiment import Experiment
from experiments.masking import mask_secrets
from experiments.run_folder import RunFolder, write_atomically
from registry.key_path import format_key_path
from registry.yaml_dump import dump_document
from registry.yaml_source import load_document

FREE = (
    "description",
    *(f"search.{name}" for name in ("trials", "flops", "seconds", "least_gain", "confirm", "storage")),
    "search.stopping.check",
    "training.checkpoint_seconds",
)
"""What may change between calls: it changes no number of any trial."""


def check_claim(run: RunFolder, experiment: Experiment) -> None:
    """Hold the experiment against the one that its folder was claimed for.

    Raises:
        ValueError: the folder belongs to an experiment with other settings.
    """
    asked = mask_secrets(experiment.to_data())
    if run.experiment.exists() and run.has_begun():
        began = load_document(run.experiment).data
        # More seeds of the same variants are more rows; in a search they would be another experiment.
        free = (*FREE, "seeds") if experiment.space is None else FREE
        changed = [key for key in _differences(began, asked) if key not in free]
        if changed:
            raise ValueError(
                f"{run.path} holds another experiment: {', '.join(changed)} differ from its "
                f"{run.experiment.name}; give another run folder with --out, or delete this one"
            )


def check_corpus(run: RunFolder, content_hash: str) -> None:
    """Hold the text against that which the trials of the folder have seen.

    Raises:
        ValueError: it has changed: losses on it would stand beside losses on another text.
    """
    seen = run.load_json(run.environment).get("corpus_hash")
    if seen not in (None, content_hash) and run.load_records():
        raise ValueError(
            f"the text of `data` has changed since the trials in {run.path}; put it back, "
            "give another run folder with --out, or delete this one"
        )


def claim_folder(run: RunFolder, experiment: Experiment) -> None:
    """Write the resolved experiment to its folder. Only what can run may claim one: a mistake would stay."""
    write_atomically(run.experiment, dump_document(mask_secrets(experiment.to_data())))


def _differences(old: Any, new: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Key paths at which two declarations differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [found for key in keys for found in _differences(old.get(key), new.get(key), (*path, key))]
    return [] if old == new else [format_key_path(path)]
