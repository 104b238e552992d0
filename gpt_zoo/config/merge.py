"""How a partial declaration is laid over another: `extends`, overrides of layers, options of a search."""

from typing import Any


def replaces(base: Any, override: Any) -> bool:
    """Whether `override` takes the place of `base` as a whole instead of being merged into it.

    Two mappings merge key by key, except when they name different kinds: the fields of one kind mean nothing
    to another.
    """
    if not (isinstance(base, dict) and isinstance(override, dict)):
        return True
    return "kind" in override and override["kind"] != base.get("kind", override["kind"])


def deep_merge(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """A new mapping: `base` with the values of `override` laid over it, deeply."""
    merged = dict(base)
    for key, value in override.items():
        old = merged.get(key)
        merged[key] = value if replaces(old, value) else deep_merge(merged[key], value)
    return merged
