"""What goes wrong between a folder of the Hugging Face hub and a model of ours."""

from collections.abc import Iterable

TOLD_AT_MOST = 8


class HubError(ValueError):
    """A folder that cannot be read, or a variant that cannot be written; says what, and the nearest fix."""


def tell_names(names: Iterable[str]) -> str:
    """`a, b, c and 17 more`."""
    ordered = sorted(names)
    told = ", ".join(ordered[:TOLD_AT_MOST])
    return told + (f" and {len(ordered) - TOLD_AT_MOST} more" if len(ordered) > TOLD_AT_MOST else "")
