"""The variants that have a name: one YAML file each, in folders by family."""

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from registry.errors import DeclarationError, Problem

VARIANT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")

_folders: list[Path] = [Path(str(files("registry"))) / "variants"]


def register_variants(folder: Path | str) -> None:
    """Add the YAML files in and below `folder` to the catalog, for plugins. Doing it twice does nothing.

    Raises:
        ValueError: `folder` is no folder, or holds a name that the catalog has.
    """
    folder = Path(folder).resolve()
    if folder in _folders:
        return
    if not folder.is_dir():
        raise ValueError(f"variants are registered by their folder, got `{folder}`, which is none")
    _files_in.cache_clear()
    taken = sorted(_catalog().keys() & _files_in(folder).keys())
    if taken:
        raise ValueError(f"the catalog already has {', '.join(taken)}; rename the files in `{folder}`")
    _folders.append(folder)


def _catalog() -> dict[str, Path]:
    return {name: path for folder in _folders for name, path in _files_in(folder).items()}


@cache  # it is asked for each name that a variant extends; what is not found is looked for anew
def _files_in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.rglob("*.yaml"))}


def list_variants() -> list[str]:
    """The names in the catalog, sorted."""
    _files_in.cache_clear()
    return sorted(_catalog())


def find_variant_file(name: str, where: str = "", path: str = "") -> Path:
    """The file of a variant in the catalog.

    Args:
        name: As `list_variants` gives it.
        where: Position of whatever names the variant, for the error.
        path: Its key path, for the error.

    Raises:
        DeclarationError: No variant has this name; those that are near are told.
    """
    if name not in _catalog():
        _files_in.cache_clear()  # somebody may have just written it
    catalog = _catalog()
    if name in catalog:
        return catalog[name]
    close = [f"`{known}`" for known in get_close_matches(name.lower(), sorted(catalog), n=4)]
    alike = f"did you mean {close[0]}?" if close else "none is alike;"
    others = f" (or {', '.join(close[1:])})" if close[1:] else ""
    advice = f"{alike}{others} `gpt-zoo list` names all {len(catalog)}"
    raise DeclarationError([Problem(where, path, f"no variant is called `{name}`; {advice}")])


def looks_like_path(reference: str) -> bool:
    """Whether a reference means a file rather than a name in the catalog."""
    return "/" in reference or "\\" in reference or reference.endswith((".yaml", ".yml"))
