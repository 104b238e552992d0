"""The named things: variants, how they are loaded, and the spaces of variants that a search walks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from registry.catalog import list_variants, register_variants
    from registry.errors import DeclarationError
    from registry.space import SearchSpace, load_space
    from registry.variant import Variant, build_model, load_variant

__all__ = [
    "DeclarationError",
    "SearchSpace",
    "Variant",
    "build_model",
    "list_variants",
    "load_space",
    "load_variant",
    "register_variants",
]

_HOMES = {
    "DeclarationError": "registry.errors",
    "SearchSpace": "registry.space",
    "Variant": "registry.variant",
    "build_model": "registry.variant",
    "list_variants": "registry.catalog",
    "load_space": "registry.space",
    "load_variant": "registry.variant",
    "register_variants": "registry.catalog",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
