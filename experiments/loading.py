"""Experiments by name or file: those that are shipped, and the user's own."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from experiments.experiment import Experiment, resolve_experiment
from gpt_zoo.config.base import did_you_mean
from registry.catalog import looks_like_path
from registry.document import Document, iterate_paths
from registry.errors import DeclarationError, Problem
from registry.overrides import Overrides, apply_overrides
from registry.yaml_source import load_document


def list_recipes() -> dict[str, Path]:
    """The shipped experiments by name."""
    folder = Path(str(files("experiments") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find_experiment_file(reference: str | Path) -> Path:
    """The file of an experiment.

    Args:
        reference: Name of a shipped experiment, or a file: a Path, or text with a separator or a .yaml at its
            end.

    Raises:
        DeclarationError: nothing shipped has that name.
    """
    if isinstance(reference, Path) or looks_like_path(reference):
        return Path(reference)
    recipes = list_recipes()
    if reference not in recipes:
        hint = did_you_mean(reference, recipes)
        raise DeclarationError([Problem("", "", f"no experiment is called `{reference}`; {hint}")])
    return recipes[reference]


Declaration = str | Path | Mapping[str, Any]
"""A shipped name, a file, or the data itself."""


def as_experiment(declared: Experiment | Declaration) -> Experiment:
    """The experiment itself, loaded if it is not yet."""
    return declared if isinstance(declared, Experiment) else load_experiment(declared)


def load_experiment(
    reference: Declaration,
    overrides: Overrides = (),
    variants: Sequence[str | Mapping[str, Any]] | None = None,
) -> Experiment:
    """The experiment that a file, a shipped name or a mapping declares, validated as a whole.

    Args:
        reference: File, name, or the data itself.
        overrides: `["budget.tokens=2e6"]`, values in YAML, or `{"budget.tokens": 2_000_000}`.
        variants: Compare these in its setting, in place of whatever it names.

    Raises:
        DeclarationError: (a ValueError) everything that is wrong, with file, line and key path.
    """
    if isinstance(reference, Mapping):
        document, folder, name = (
            Document(dict(reference), dict.fromkeys(iterate_paths(reference), "experiment")),
            Path.cwd(),
            "experiment",
        )
    else:
        path = find_experiment_file(reference)
        document, folder, name = load_document(path), path.absolute().parent, path.stem
    if variants is not None:
        document = _with_variants(document, variants)
        folder = Path.cwd()  # these names were not written in the file
    document = _with_one_budget(apply_overrides(document, overrides), document)
    return resolve_experiment(document, folder, name)


def _with_variants(document: Document, variants: Sequence[str | Mapping[str, Any]]) -> Document:
    data = {key: value for key, value in document.data.items() if key not in ("space", "variants")}
    data["variants"] = [entry if isinstance(entry, str) else dict(entry) for entry in variants]
    return Document(data, {**document.marks, ("variants",): ""})


def _with_one_budget(document: Document, before: Document) -> Document:
    """An override such as `budget.steps=10` replaces the budget that stood there: one excludes the other."""
    budget, old = document.data.get("budget"), before.data.get("budget")
    if not (isinstance(budget, dict) and isinstance(old, dict)) or budget == old:
        return document
    changed = {key: value for key, value in budget.items() if old.get(key) != value}
    return Document({**document.data, "budget": changed}, document.marks)
