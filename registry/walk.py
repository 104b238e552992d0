"""Walks over the tree of a space: what can be chosen, how often, and what a choice leads to.

Each domain has a name, the key path with the options that lead to it in brackets:
`attention[grouped_query].n_kv_heads`, `layers[0].attention.window`.
"""

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

from registry.domains import Choice, Domain, Float, Int
from registry.key_path import KeyPath
from registry.labels import Primitive

Suggest = Callable[[str, Domain], Any]
"""Gives a value of the domain that has this name; of a choice, one of its labels."""


def _children(node: Any, name: str) -> list[tuple[str | int, str, Any]]:
    """Key, name and value of each thing in a mapping or a list; nothing in anything else."""
    if isinstance(node, dict):
        return [(key, f"{name}.{key}" if name else key, value) for key, value in node.items()]
    if isinstance(node, list):
        return [(index, f"{name}[{index}]", value) for index, value in enumerate(node)]
    return []


def _options(choice: Choice, name: str) -> list[tuple[Primitive, str, Any]]:
    """Label, name and value of each option."""
    return [
        (label, f"{name}[{label}]", option)
        for label, option in zip(choice.labels, choice.options, strict=True)
    ]


def named_domains(node: Any, name: str = "") -> Iterator[tuple[str, Domain]]:
    """All domains in the order in which they are asked for, those inside of options too."""
    if isinstance(node, Domain):
        yield name, node
    inner = _options(node, name) if isinstance(node, Choice) else _children(node, name)
    for _, inner_name, value in inner:
        yield from named_domains(value, inner_name)


def count(node: Any) -> int | None:
    """The number of assignments; None when there is no end of them."""
    if isinstance(node, Choice):
        sizes = [count(option) for option in node.options]
        return None if None in sizes else sum(size or 0 for size in sizes)
    if isinstance(node, Domain):
        return node.size
    sizes = [count(value) for _, _, value in _children(node, "")]
    return None if None in sizes else prod(size or 0 for size in sizes)


def assignments(node: Any, name: str = "") -> Iterator[dict[str, Primitive]]:
    """Every assignment of a finite tree, the last domain changing fastest; nothing is held in memory."""
    if isinstance(node, Choice):
        for label, inner_name, option in _options(node, name):
            for chosen in assignments(option, inner_name):
                yield {name: label} | chosen
    elif isinstance(node, Domain):
        for value in node.values():
            yield {name: value}
    else:
        yield from _products([(child, value) for _, child, value in _children(node, name)])


def assignment_at(node: Any, place: int, name: str = "") -> dict[str, Primitive]:
    """What `assignments` gives at a place, from 0, found without those before it."""
    if isinstance(node, Choice):
        for label, inner_name, option in _options(node, name):
            size = count(option) or 0
            if place < size:
                return {name: label} | assignment_at(option, place, inner_name)
            place -= size
    if isinstance(node, Int | Float):
        return {name: node.accept(node.low + place * (node.step or 0))}
    parts = []
    for _, child, value in reversed(_children(node, name)):
        place, own = divmod(place, count(value) or 1)
        parts.append(assignment_at(value, own, child))
    return {key: value for part in reversed(parts) for key, value in part.items()}


def _products(nodes: Sequence[tuple[str, Any]]) -> Iterator[dict[str, Primitive]]:
    searched = [(name, node) for name, node in nodes if next(named_domains(node), None)]
    if not searched:
        yield {}
        return
    (name, first), *rest = searched
    for chosen in assignments(first, name):
        for others in _products(rest):
            yield chosen | others


def covering(node: Any, name: str = "") -> list[dict[str, Primitive]]:
    """A few assignments in which each option of a choice and both ends of a range occur."""
    if isinstance(node, Choice):
        return [
            {name: label} | chosen
            for label, inner_name, option in _options(node, name)
            for chosen in covering(option, inner_name)
        ]
    if isinstance(node, Domain):
        return [{name: value} for value in node.ends()]
    parts = [covering(value, child) for _, child, value in _children(node, name)]
    longest = max(map(len, parts), default=1)
    return [
        {key: value for part in parts for key, value in part[min(index, len(part) - 1)].items()}
        for index in range(longest)
    ]


class Choosing:
    """One way through a tree, as `suggest` decides: the values, the parameters, and where each value stands.

    Args:
        suggest: Asked once for each domain on the way.
    """

    def __init__(self, suggest: Suggest) -> None:
        self._suggest = suggest
        self.parameters: dict[str, Primitive] = {}
        self.origins: dict[KeyPath, KeyPath] = {}
        """Path in the space of each value, by path in the result."""

    def origin(self, path: KeyPath) -> KeyPath:
        """Where in the space the value at `path` of the result stands, or would stand."""
        known = next(n for n in range(len(path), -1, -1) if path[:n] in self.origins)
        return self.origins[path[:known]] + path[known:]

    def value(self, node: Any, name: str = "", path: KeyPath = (), origin: KeyPath = ()) -> Any:
        """Plain data: `node` with each domain replaced by what was chosen.

        Raises:
            ValueError: `suggest` gave a value that is not in the domain.
        """
        self.origins[path] = origin
        if isinstance(node, Domain):
            try:
                chosen = self.parameters[name] = node.accept(self._suggest(name, node))
            except ValueError as error:
                raise ValueError(f"`{name}` {error}") from error
            if not isinstance(node, Choice):
                return chosen
            index = node.index(chosen)
            option = node.options[index]
            return self.value(option, f"{name}[{chosen}]", path, (*origin, "choice", index))
        made = [
            (key, self.value(value, inner_name, (*path, key), (*origin, key)))
            for key, inner_name, value in _children(node, name)
        ]
        if isinstance(node, dict):
            return dict(made)
        return [value for _, value in made] if isinstance(node, list) else node
