"""The variants that have a name: one YAML file each."""

import re
from importlib.resources import files
from pathlib import Path

from gpt_zoo.config.base import did_you_mean
from registry.errors import DeclarationError, Problem

VARIANT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")

_folders: list[Path] = [Path(str(files("registry"))) / "variants"]


def register_variants(folder: Path) -> None:
    """Add the YAML files of `folder` to the catalog, for plugins. Adding a folder twice does nothing.

    Raises:
        ValueError: `folder` is no folder, or holds a name that the catalog has.
    """
    folder = folder.resolve()
    if folder in _folders:
        return
    if not folder.is_dir():
        raise ValueError(f"variants are registered by their folder, got `{folder}`, which is none")
    taken = sorted(_catalog().keys() & {path.stem for path in folder.glob("*.yaml")})
    if taken:
        raise ValueError(f"the catalog already has {', '.join(taken)}; rename the files in `{folder}`")
    _folders.append(folder)


def _catalog() -> dict[str, Path]:
    return {path.stem: path for folder in _folders for path in sorted(folder.glob("*.yaml"))}


def list_variants() -> list[str]:
    """The names in the catalog, sorted."""
    return sorted(_catalog())


def find_variant_file(name: str, where: str = "", path: str = "") -> Path:
    """The file of a variant in the catalog.

    Args:
        name: As `list_variants` gives it.
        where: Position of whatever names the variant, for the error.
        path: Its key path, for the error.

    Raises:
        DeclarationError: No variant has this name; the nearest one and all known ones are told.
    """
    catalog = _catalog()
    if name in catalog:
        return catalog[name]
    advice = did_you_mean(name, sorted(catalog))
    if advice.startswith("did you mean"):
        advice += f" (known are {', '.join(f'`{known}`' for known in sorted(catalog))})"
    raise DeclarationError([Problem(where, path, f"no variant is called `{name}`; {advice}")])


def looks_like_path(reference: str) -> bool:
    """Whether a reference means a file rather than a name in the catalog."""
    return "/" in reference or "\\" in reference or reference.endswith((".yaml", ".yml"))
