"""Settings of a training that a search chooses beside the architecture: nuisance, not what is compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from pydantic import ValidationError

from experiments.training.config import TrainingConfig
from registry.document import Document
from registry.domains import Domain, Float, Int
from registry.errors import DeclarationError, Problem, problem_at
from registry.labels import Primitive
from registry.tree import parse_tree

PREFIX = "training."
"""Before the name of a setting, among the parameters of a trial."""
ALONG_A_RANGE = 5
"""Values that stand for a range where a finite number of points is needed."""


def parse_settings(declared: Mapping[str, Any], document: Document) -> dict[str, Domain]:
    """The domains of settings, by the names that they have among parameters.

    Args:
        declared: Of `search.nuisance`: fields of the training, each with a domain.
        document: Of the experiment, for the places of what is wrong.

    Raises:
        DeclarationError: (a ValueError) no domain, or values that the field does not take.
    """
    place = ("search", "nuisance")
    tree = parse_tree(Document(dict(declared), {}))
    problems: list[Problem] = []
    for name, domain in tree.items():
        if not isinstance(domain, Domain):
            message = f"`{name}` needs a domain, such as {{choice: [1e-3, 3e-3]}}, got {domain!r}"
            problems.append(problem_at(document.marks, (*place, name), message))
            continue
        for value in domain.ends():
            try:
                TrainingConfig.model_validate({name: value})
            except ValidationError as error:
                told = error.errors()[0]["msg"]
                problems.append(problem_at(document.marks, (*place, name), f"{told}, got {value!r}"))
    if problems:
        raise DeclarationError(problems)
    return {PREFIX + name: domain for name, domain in tree.items()}


def settings_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the parameters of a trial, as fields of its training."""
    return {name.removeprefix(PREFIX): value for name, value in parameters.items() if name.startswith(PREFIX)}


def identify_settings(parameters: Mapping[str, Any]) -> str:
    """The same text for equal settings; empty where there are none."""
    chosen = settings_of(parameters)
    return json.dumps(chosen, sort_keys=True) if chosen else ""


def combine_settings(settings: Mapping[str, Domain]) -> Iterator[dict[str, Primitive]]:
    """Every combination of settings, of a range some values from its lower to its upper end; one if none."""
    for values in product(*(_some_values(domain) for domain in settings.values())):
        yield dict(zip(settings, values, strict=True))


def _some_values(domain: Domain) -> list[Primitive]:
    if not isinstance(domain, Float | Int) or (domain.size is not None and domain.size <= ALONG_A_RANGE):
        return list(domain.values())
    spread = np.geomspace if domain.log else np.linspace
    between = spread(domain.low, domain.high, ALONG_A_RANGE)[1:-1].tolist()
    if isinstance(domain, Int) or domain.step is not None:
        step = domain.step or 1
        between = [domain.low + round((value - domain.low) / step) * step for value in between]
    return [domain.low, *(domain.accept(value) for value in between), domain.high]
