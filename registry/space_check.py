"""Mistakes in a space that would break every trial, found before the first one.

Rules between fields are left to the trials: a space may well hold points that break them.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.base import did_you_mean
from registry.document import Marks
from registry.errors import DeclarationError, Problem, describe, problem_at
from registry.key_path import KeyPath
from registry.walk import Choosing, covering, named_domains

_MAX_PROBES = 1000
"""Of one key; nobody writes more options by hand."""


def check_space(tree: dict[str, Any], marks: Marks) -> None:
    """Refuse keys and values which no config can have.

    Raises:
        DeclarationError: All unknown or missing keys, and values of a wrong type or range.
    """
    problems = [
        problem_at(marks, (key,), "this key is missing")
        for key, field in GPTConfig.model_fields.items()
        if field.is_required() and key not in tree
    ]
    for key, node in tree.items():
        if key in GPTConfig.model_fields:
            problems += _wrong_values(key, node, marks)
        else:
            message = f"unknown key `{key}`; {did_you_mean(key, GPTConfig.model_fields)}"
            problems.append(problem_at(marks, (key,), message))
    if problems:
        raise DeclarationError(dict.fromkeys(problems))


def _wrong_values(key: str, node: Any, marks: Marks) -> Iterator[Problem]:
    searched = next(named_domains(node), None) is not None
    for parameters in covering(node, key)[:_MAX_PROBES]:
        choosing = Choosing(lambda name, _, given=parameters: given[name])  # type: ignore[misc]
        value = choosing.value(node, key, (key,), (key,))
        for path, message in _refused(key, value, searched):
            yield problem_at(marks, choosing.origin(path), message)


def _refused(key: str, value: Any, searched: bool) -> Iterator[tuple[KeyPath, str]]:
    """What a config says to one field alone: with the others missing, it checks no rule between them."""
    try:
        GPTConfig.model_validate({key: value})
    except ValidationError as error:
        for line in error.errors():
            may_depend = line["type"] in ("rule", "value_error") and not line["msg"].startswith("unknown key")
            if line["loc"][0] == key and not (searched and may_depend):
                yield line["loc"], describe(line)
