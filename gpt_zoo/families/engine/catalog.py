"""The families that are known: each file beside this folder that makes a FAMILY."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import gpt_zoo.families
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.family import Family

PLAIN = ("gpt2", "gpt_neox", "gptj", "llama", "opt")
"""Those that are tried first where several express a variant: what most programs read."""


@cache
def all_families() -> dict[str, Family]:
    """The families by `model_type`, the plain ones first."""
    found: dict[str, Family] = {}
    for module in pkgutil.iter_modules(gpt_zoo.families.__path__):
        if not module.ispkg and module.name != "family":
            family = importlib.import_module(f"gpt_zoo.families.{module.name}").FAMILY
            found[family.model_type] = family
    return {name: found[name] for name in sorted(found, key=lambda name: (name not in PLAIN, name))}


def find_family(model_type: object) -> Family:
    """The family of that name.

    Raises:
        HubError: there is none.
    """
    families = all_families()
    for family in families.values():
        if model_type in (family.model_type, *family.also_called):
            return family
    told = did_you_mean(str(model_type), families)
    raise HubError(f"no family is called `{model_type}` (`model_type` in config.json); {told}")
