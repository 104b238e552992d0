"""A matched variant as a declaration: what it extends, and what is otherwise."""

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gpt_zoo.config.component import Component
from registry.catalog import looks_like_path
from registry.inheritance import locate
from registry.kinds import shortest
from registry.matching.result import Match, tell_share
from registry.variant import load_variant, resolve_variant


def declare_match(match: Match, extends: str, folder: Path) -> dict[str, Any]:
    """The data of a variant file that lies in `folder`.

    Args:
        extends: The catalog name, or the file from the working folder, that the match was made of.
    """
    base = load_variant(extends)
    if looks_like_path(extends):
        path = os.path.relpath(locate(extends).resolve(), folder.resolve())
        extends = path if looks_like_path(path) else f"./{path}"
    data = {
        "extends": extends,
        "description": f"{base.name}, its {match.goal.on} adjusted to that of {match.target_name} "
        f"({tell_share(match.difference())}).",
        **_changes(base.config, match.variant.config),
    }
    assert resolve_variant(data, folder=folder).config == match.variant.config
    return data


def _changes(old: BaseModel, new: BaseModel) -> dict[str, Any]:
    """What to lay over the data of `old`, deeply, so that it is that of `new`."""
    plain, changed = new.model_dump(mode="json"), {}
    for name in type(new).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if isinstance(after, BaseModel) and type(before) is type(after):
            changed[name] = _changes(before, after)
        else:
            changed[name] = shortest(after) if isinstance(after, Component) else plain[name]
    return changed
