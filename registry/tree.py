"""A space as a tree: mappings and lists whose leaves are values or domains."""

from typing import Any

from pydantic import ValidationError

from registry.document import Document
from registry.domains import DOMAINS, Choice, is_domain
from registry.errors import DeclarationError, Problem, problem_at, problems_of
from registry.key_path import KeyPath


def parse_tree(document: Document) -> dict[str, Any]:
    """The document with each mapping that declares a domain replaced by it.

    Raises:
        DeclarationError: All domains that break rules.
    """
    parsing = _Parsing(document)
    tree = {key: parsing.node(value, (key,)) for key, value in document.data.items()}
    if parsing.problems:
        raise DeclarationError(parsing.problems)
    return tree


class _Parsing:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def node(self, data: Any, path: KeyPath) -> Any:
        if is_domain(data):
            [(key, given)] = data.items()
            return self._domain(key, given, path)
        if isinstance(data, list):
            return [self.node(item, (*path, index)) for index, item in enumerate(data)]
        if not isinstance(data, dict):
            return data
        for key in sorted(data.keys() & DOMAINS.keys()):
            self._report(
                (*path, key), f"a domain is a mapping with the one key `{key}`; move the others away"
            )
        return {key: self.node(value, (*path, key)) for key, value in data.items()}

    def _domain(self, key: str, given: Any, path: KeyPath) -> Any:
        here = (*path, key)
        before = len(self.problems)
        if DOMAINS[key] is Choice:
            if not isinstance(given, list) or not given:
                self._report(here, "must be a list of at least one option, such as {choice: [64, 128]}")
                return None
            given = {"options": tuple(self.node(item, (*here, index)) for index, item in enumerate(given))}
        elif not isinstance(given, dict):
            self._report(here, f"must have `low` and `high`, such as {{{key}: {{low: 1, high: 4}}}}")
            return None
        if len(self.problems) > before:
            return None
        try:
            return DOMAINS[key].model_validate(given)
        except ValidationError as error:
            self.problems += problems_of(error, self.document.marks, here)
            return None

    def _report(self, path: KeyPath, message: str) -> None:
        self.problems.append(problem_at(self.document.marks, path, message))
