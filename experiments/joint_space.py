"""What a search chooses: an architecture, and settings of its training where those are searched too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from experiments.settings import PREFIX
from registry.domains import Domain
from registry.labels import Primitive
from registry.space import Assignment, SearchSpace
from registry.variant import Variant
from registry.walk import Suggest


@dataclass(frozen=True)
class JointSpace:
    """Architectures by settings; without settings, the architectures.

    Args:
        architectures: What is compared.
        settings: Domains of the training, by their names among parameters.
    """

    architectures: SearchSpace
    settings: Mapping[str, Domain]

    @property
    def name(self) -> str:
        """That of the architectures."""
        return self.architectures.name

    @property
    def size(self) -> int | None:
        """The number of points; None if endless."""
        size = self.architectures.size
        for domain in self.settings.values():
            size = None if size is None or domain.size is None else size * domain.size
        return size

    def domains(self) -> dict[str, Domain]:
        """All domains by name."""
        return {**self.architectures.domains(), **self.settings}

    def sample(self, suggest: Suggest) -> Assignment:
        """The point that `suggest` leads to: see `SearchSpace.sample`."""
        config, parameters = self.architectures.sample(suggest)
        chosen = {name: domain.accept(suggest(name, domain)) for name, domain in self.settings.items()}
        return Assignment(config, {**parameters, **chosen})

    def enumerate(self) -> Iterator[dict[str, Primitive]]:
        """The parameters of every point.

        Raises:
            ValueError: there is no end of them.
        """
        architectures = self.architectures.enumerate()
        endless = [name for name, domain in self.settings.items() if domain.size is None]
        if endless:
            raise ValueError(f"a grid needs a finite space; give {', '.join(endless)} a `step`, or choices")
        settings = [list(domain.values()) for domain in self.settings.values()]
        return (
            {**architecture, **dict(zip(self.settings, values, strict=True))}
            for architecture in architectures
            for values in product(*settings)
        )

    def variant(self, parameters: Mapping[str, Any], name: str | None = None) -> Variant:
        """The variant of a point.

        Raises:
            DeclarationError: the config breaks rules.
        """
        own = {key: value for key, value in parameters.items() if not key.startswith(PREFIX)}
        return self.architectures.variant(own, name)
