"""Plug-ins: component kinds, activations and variants from outside of this repository.

A plug-in is a module that registers what it adds as it is imported. An installed one is found by its entry
point, any other is named by the user: on the command line or in a call, never in a declaration, since data
must not run code.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.slot import KINDS
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.layers.initializations import INITIALIZATIONS
from registry import catalog

GROUP = "gpt_zoo.plugins"
"""Of the entry points: each names a module to import, or something in a module to call."""
OURS = ("gpt_zoo", "registry", "experiments")
"""Packages that are never imported twice."""

_log = logging.getLogger(__name__)
_tried: set[EntryPoint] = set()
_named: dict[str, None] = {}


def load_plugins(modules: Sequence[str] = ()) -> None:
    """Load every installed plug-in and the `modules`; what is loaded already stays as it is.

    An installed plug-in that fails is left out with a warning that has its name, and stops no other one.

    Args:
        modules: As Python imports them, from wherever it finds them or from the current folder.

    Raises:
        ValueError: one of the `modules` cannot be imported, or registers what is refused.
    """
    for entry in entry_points(group=GROUP):
        if entry not in _tried:
            _tried.add(entry)
            try:
                _load(entry.name, lambda entry=entry: _run(entry), entry.module)  # type: ignore[misc]
            except ValueError as error:
                _log.warning(
                    "warning: %s; it is left out", error, exc_info=bool(os.environ.get("GPT_ZOO_DEBUG"))
                )
    for name in [modules] if isinstance(modules, str) else modules:
        _search_current_folder()
        _load(name, lambda name=name: _import(name), name)  # type: ignore[misc]
        _named[name] = None


def named_plugins() -> tuple[str, ...]:
    """The modules that the user named so far: what another process must load to know the same kinds."""
    return tuple(_named)


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Takes back all that was registered meanwhile, if it ends with an exception."""
    names: list[dict[str, Any]] = [*KINDS.values(), ACTIVATIONS, INITIALIZATIONS]
    before = [dict(known) for known in names]
    folders = list(catalog._folders)
    try:
        yield
    except BaseException:
        for known, old in zip(names, before, strict=True):
            known.clear()
            known.update(old)
        catalog._folders[:] = folders
        raise


def _load(name: str, load: Callable[[], object], module: str) -> None:
    imported = set(sys.modules)
    try:
        with all_or_nothing():
            load()
    except (Exception, SystemExit) as error:
        for other in _to_run_anew(sys.modules.keys() - imported, _package(module)):
            del sys.modules[other]
        raise ValueError(f"the plug-in `{name}` cannot be loaded: {_explain(error, module)}") from error


def _to_run_anew(imported: set[str], package: str) -> set[str]:
    """Of what a plug-in had imported when it failed, what another may need: it registers as it is imported.

    That is its own package, and every module that holds something of ours, or of such a module.
    """
    known = {
        name: module
        for name in imported
        if isinstance(module := sys.modules[name], ModuleType) and _package(name) not in OURS
    }
    found = {name for name in known if _package(name) == package}
    while more := {
        name
        for name in known.keys() - found
        if any(home in found or _package(home) in OURS for home in _homes(known[name]))
    }:
        found |= more
    return found


def _homes(module: ModuleType) -> Iterator[str]:
    """The modules whose names, functions or classes a module holds."""
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            yield value.__name__
        elif isinstance(value, type | FunctionType):
            yield str(value.__module__)


def _package(module: str) -> str:
    return module.partition(".")[0]


def _run(entry: EntryPoint) -> None:
    found = entry.load()
    if callable(found):
        found()


def _import(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")) or name.endswith(".py"):
        stem = Path(name).name.removesuffix(".py")
        raise ValueError(f"a plug-in is named as Python imports it; try `{stem}`, from its folder")
    import_module(name)


def _search_current_folder() -> None:
    """At the end of the path, so that no file there stands in for a module of Python's or of ours."""
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.append(folder)
    invalidate_caches()  # the file may be a moment old


def _explain(error: BaseException, module: str) -> str:
    """One line about what went wrong."""
    if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
        return f"there is no module `{error.name}`, neither installed nor in {os.getcwd()}{_near(module)}"
    text = " ".join(str(error).split())
    if isinstance(error, ValueError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _near(module: str) -> str:
    beside = sorted(path.stem for path in Path().glob("*.py"))
    advice = did_you_mean(module, beside)
    return f"; {advice}" if advice.startswith("did you mean") else ""
