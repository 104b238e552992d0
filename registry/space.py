"""Spaces of variants: a variant whose values may be domains."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from gpt_zoo.config.base import did_you_mean
from registry.document import Document, Marks
from registry.domains import Domain
from registry.errors import DeclarationError, Problem, find_mark
from registry.inheritance import Declaration, declare_entry, declare_file
from registry.labels import Primitive
from registry.overrides import Overrides
from registry.space_check import check_space
from registry.tree import parse_tree
from registry.variant import Variant, build_variant
from registry.walk import Choosing, Suggest, assignments, count, named_domains


class Assignment(NamedTuple):
    """One point of a space."""

    config: dict[str, Any]
    """Plain data of a GPTConfig, not validated yet."""
    parameters: dict[str, Primitive]
    """What was chosen, by name of the domain: enough to get the point back."""


@dataclass(frozen=True)
class SearchSpace:
    """The variants that a search may choose from.

    Each domain has a stable name, its key path, with the options that lead to it in brackets: `emb_dim`,
    `attention`, `attention[grouped_query].n_kv_heads`, `layers[0].activation`. Options which are no plain
    values are known by a label, mostly their `kind`.
    """

    declaration: Declaration
    tree: dict[str, Any]

    @classmethod
    def from_declaration(cls, declaration: Declaration) -> Self:
        """The space that a declaration means.

        Raises:
            DeclarationError: Domains that break rules, keys or values that no config has, no domain at all.
        """
        tree = parse_tree(declaration.body)
        if next(named_domains(tree), None) is None:
            where = find_mark(declaration.body.marks, ())
            message = (
                "nothing to search: give at least one key a domain, such as `emb_dim: {choice: [64, 128]}`"
            )
            raise DeclarationError([Problem(where, "", message)])
        check_space(tree, declaration.body.marks)
        return cls(declaration, tree)

    @property
    def name(self) -> str:
        """As declared, or the stem of the file."""
        return self.declaration.name

    @property
    def size(self) -> int | None:
        """The number of assignments, counting the domains inside of options; None if endless."""
        return count(self.tree)

    def domains(self) -> dict[str, Domain]:
        """All domains by name, in the order of asking, those that only some options have included."""
        return dict(named_domains(self.tree))

    def sample(self, suggest: Suggest) -> Assignment:
        """The point that `suggest` leads to.

        Args:
            suggest: Called with name and domain, for the domains on the way only; gives a value of a range,
                or a label of a choice.

        Raises:
            ValueError: `suggest` gave a value that is not in the domain.
        """
        choosing = Choosing(suggest)
        return Assignment(choosing.value(self.tree), choosing.parameters)

    def enumerate(self) -> Iterator[dict[str, Primitive]]:
        """The parameters of every point, in a stable order, made one by one.

        Raises:
            ValueError: There is no end of them.
        """
        if self.size is None:
            endless = [name for name, domain in self.domains().items() if domain.size is None]
            raise ValueError(f"a grid needs a finite space; give {', '.join(endless)} a `step`, or choices")
        return assignments(self.tree)

    def resolve(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The config data of a point, not validated.

        Raises:
            DeclarationError: Parameters are missing, unknown, or not in their domains.
        """
        return self._choose(parameters)[0]

    def variant(self, parameters: Mapping[str, Any], name: str | None = None) -> Variant:
        """The variant of a point.

        Args:
            parameters: As `sample` and `enumerate` give them.
            name: Of the variant; the space's with a digest of the parameters unless given.

        Raises:
            DeclarationError: Parameters are wrong, or the config breaks rules: the point is infeasible.
        """
        config, choosing = self._choose(parameters)
        own = self.declaration.body.marks
        marks = {path: mark for path, origin in choosing.origins.items() if (mark := find_mark(own, origin))}
        if name is None:
            canonical = json.dumps(choosing.parameters, sort_keys=True)
            name = f"{self.name}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"
        header = self.declaration
        point = Declaration(name, header.description, header.source, Document(config, marks), header.origin)
        return build_variant(point)

    def _choose(self, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], Choosing]:
        choosing = Choosing(lambda name, _: _look_up(parameters, name))
        try:
            config = choosing.value(self.tree)
        except ValueError as error:
            raise DeclarationError([Problem("parameters", "", str(error))]) from None
        known = self.domains()
        problems = [
            Problem("parameters", "", f"`{name}` is not asked for here")
            if name in known
            else Problem("parameters", "", f"no domain is called `{name}`; {did_you_mean(name, known)}")
            for name in parameters.keys() - choosing.parameters.keys()
        ]
        if problems:
            raise DeclarationError(problems)
        return config, choosing


def _look_up(parameters: Mapping[str, Any], name: str) -> Any:
    if name not in parameters:
        raise ValueError("has no value")
    return parameters[name]


def load_space(name_or_path: str | Path, overrides: Overrides = ()) -> SearchSpace:
    """Read a space from a file.

    Args:
        name_or_path: A file, or a name in the catalog (whose values `overrides` then turn into domains).
        overrides: `["key.path=value"]` or `{"key.path": value}`, laid over what is declared.

    Raises:
        DeclarationError: Everything that is wrong with it.
    """
    return SearchSpace.from_declaration(declare_file(name_or_path, overrides))


def resolve_space(
    entry: str | Mapping[str, Any],
    marks: Marks | None = None,
    folder: Path | None = None,
    overrides: Overrides = (),
    default_name: str = "space",
) -> SearchSpace:
    """The space that stands inside of another file or a call; see `resolve_variant`."""
    return SearchSpace.from_declaration(declare_entry(entry, marks, folder, overrides, default_name))
