"""What a search may choose: an explicit one-key mapping, never guessed from the shape of a value.

{choice: [64, 96, 128]}      {int: {low: 2, high: 8}}      {float: {low: 0.0, high: 0.2, step: 0.1}}
"""

from collections.abc import Iterator
from typing import Any

from registry.choice import Choice
from registry.domain import Domain
from registry.key_path import KeyPath
from registry.ranges import Float, Int

__all__ = ["DOMAINS", "Choice", "Domain", "Float", "Int", "find_domains", "is_domain"]

DOMAINS: dict[str, type[Domain]] = {domain.key: domain for domain in (Choice, Int, Float)}


def is_domain(value: Any) -> bool:
    """Whether plain data is the mapping of a domain."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in DOMAINS


def find_domains(data: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all domains in plain data, parents first."""
    if is_domain(data):
        yield path
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from find_domains(value, (*path, key))
