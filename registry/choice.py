"""The domain of things that have no order."""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from gpt_zoo.config.base import problem
from registry.domain import Domain
from registry.labels import Primitive, label_options


class Choice(Domain):
    """One of several options: values, mappings, lists; options may hold domains themselves.

    Args:
        options: At least one, all different.

    Raises:
        pydantic.ValidationError: No option, equal options, or one that is no finite number.
    """

    key: ClassVar[str] = "choice"

    options: tuple[Any, ...] = Field(min_length=1)

    @cached_property
    def labels(self) -> tuple[Primitive, ...]:
        """What stands for each option outside of the space; see `label_options`."""
        return label_options(self.options)

    @property
    def size(self) -> int:
        """The number of options."""
        return len(self.options)

    def values(self) -> Iterator[Primitive]:
        """The labels."""
        return iter(self.labels)

    def ends(self) -> tuple[Primitive, ...]:
        """All labels."""
        return self.labels

    def index(self, label: Any) -> int:
        """The place of the option that has this label.

        Raises:
            ValueError: None has.
        """
        if label not in self.labels:
            raise ValueError(f"must be one of {', '.join(map(str, self.labels))}, got {label!r}")
        return self.labels.index(label)

    def accept(self, value: Any) -> Primitive:
        """The label as it was declared."""
        return self.labels[self.index(value)]

    def to_data(self) -> dict[str, Any]:
        """The mapping that declares it."""
        return {self.key: list(self.options)}

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        problems = []
        seen: dict[Primitive, int] = {}
        for index, (option, label) in enumerate(zip(self.options, self.labels, strict=True)):
            message = ""
            if isinstance(option, float) and not math.isfinite(option):
                message = f"an option must be a finite number, got {option}"
            elif label in seen:
                message = f"this equals option number {seen[label] + 1}, {label}; keep one of them"
            seen.setdefault(label, index)
            if message:
                problems.append(InitErrorDetails(**{**problem(message), "loc": (index,)}))
        if problems:
            raise ValidationError.from_exception_data(type(self).__name__, problems)
        return self
