"""The named things: kinds, variants, how they are loaded, and the spaces of variants that a search walks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpt_zoo.config.slot import register_kind
    from gpt_zoo.layers.activations import activation
    from gpt_zoo.layers.initializations import initialization
    from registry.catalog import list_variants, register_variants
    from registry.diff import diff_configs
    from registry.errors import DeclarationError
    from registry.kinds import list_kinds
    from registry.match import Match, match_variant
    from registry.plugins import load_plugins
    from registry.space import SearchSpace, load_space
    from registry.variant import Variant, build_model, load_variant

__all__ = [
    "DeclarationError",
    "Match",
    "SearchSpace",
    "Variant",
    "activation",
    "build_model",
    "diff_configs",
    "initialization",
    "list_kinds",
    "list_variants",
    "load_plugins",
    "load_space",
    "load_variant",
    "match_variant",
    "register_kind",
    "register_variants",
]

_HOMES = {
    "DeclarationError": "registry.errors",
    "Match": "registry.match",
    "SearchSpace": "registry.space",
    "Variant": "registry.variant",
    "activation": "gpt_zoo.layers.activations",
    "build_model": "registry.variant",
    "diff_configs": "registry.diff",
    "initialization": "gpt_zoo.layers.initializations",
    "list_kinds": "registry.kinds",
    "list_variants": "registry.catalog",
    "load_plugins": "registry.plugins",
    "load_space": "registry.space",
    "load_variant": "registry.variant",
    "match_variant": "registry.match",
    "register_kind": "gpt_zoo.config.slot",
    "register_variants": "registry.catalog",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
