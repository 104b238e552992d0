"""Which points of a space a table has: all of them, or some drawn by lot.

A point is held as one number for each key of the config: which of the values that the key takes. Few keys
have many, so whatever depends on a few keys is worked out once for all points that agree in them.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from registry.domains import Domain, Float, Int
from registry.labels import Primitive
from registry.space import SearchSpace
from registry.walk import Choosing, assignment_at, count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Values:
    """What one key of the config takes in the points of a table.

    Args:
        parameters: What was chosen, for each value.
        data: The values as plain data, not validated.
        places: Which of them each point has.
    """

    parameters: list[dict[str, Primitive]]
    data: list[Any]
    places: NDArray[np.int64]


@dataclass(frozen=True)
class Points:
    """Points of a space.

    Args:
        values: By key of the config.
        number: Of points.
        size: Of the space; None if it is endless.
    """

    values: dict[str, Values]
    number: int
    size: int | None

    @property
    def sampled(self) -> bool:
        """Whether these are only some points of the space."""
        return self.number != self.size

    def parameters(self, point: int) -> dict[str, Primitive]:
        """What was chosen for a point, as `SearchSpace.enumerate` gives it."""
        chosen: dict[str, Primitive] = {}
        for values in self.values.values():
            chosen |= values.parameters[values.places[point]]
        return chosen


def choose_points(space: SearchSpace, most: int, seed: int) -> Points:
    """All points of a space in their order; where there are more than `most`, so many drawn by lot.

    Each point of a finite space is as likely as the others, and none is drawn twice. In an endless one each
    domain is drawn by itself, as a random search does it.

    Raises:
        ValueError: `most` is below 1.
    """
    if most < 1:
        raise ValueError(f"a table has at least 1 point, got {most}; try 100_000")
    chance = random.Random(seed)
    size = space.size
    if size is None:
        drawn = {key: _draw(key, node, most, chance) for key, node in space.tree.items()}
        return Points(drawn, most, None)
    if size <= most:
        places: list[int] | range = range(size)
    elif size <= sys.maxsize:
        places = sorted(chance.sample(range(size), most))
    else:  # so many that none comes twice
        places = [chance.randrange(size) for _ in range(most)]
    return Points(_at_places(space.tree, places), len(places), size)


def _at_places(tree: dict[str, Any], places: list[int] | range) -> dict[str, Values]:
    """The values of the points at these places of the enumeration, in which the last key changes fastest."""
    values = {}
    left = list(places)
    for key, node in reversed(tree.items()):
        size = count(node) or 1
        own = [place % size for place in left]
        if size > 1:
            left = [place // size for place in left]
        values[key] = _values(
            key, node, own, lambda place, key=key, node=node: assignment_at(node, place, key)
        )
    return dict(reversed(values.items()))


def _draw(key: str, node: Any, most: int, chance: random.Random) -> Values:
    def draw() -> Iterator[tuple[tuple[str, Primitive], ...]]:
        for _ in range(most):
            choosing = Choosing(lambda _, domain: _draw_value(domain, chance))
            choosing.value(node, key)
            yield tuple(choosing.parameters.items())

    return _values(key, node, list(draw()), dict)


def _draw_value(domain: Domain, chance: random.Random) -> Any:
    if not isinstance(domain, Int | Float):
        return chance.choice(domain.ends())
    if domain.log:
        drawn = math.exp(chance.uniform(math.log(domain.low), math.log(domain.high)))
        return min(max(round(drawn) if isinstance(domain, Int) else drawn, domain.low), domain.high)
    if domain.step is None:
        return chance.uniform(domain.low, domain.high)
    return domain.low + domain.step * chance.randrange(domain.size or 1)


def _values(key: str, node: Any, drawn: list[Any], parameters_of: Any) -> Values:
    """The values that were drawn, each once.

    Args:
        drawn: What stands for the value of each point.
        parameters_of: Gives the parameters that it stands for.
    """
    import numpy as np

    numbers: dict[Any, int] = {}
    places = np.array([numbers.setdefault(one, len(numbers)) for one in drawn], dtype=np.int64)
    parameters = [parameters_of(one) for one in numbers]
    data = [Choosing(lambda name, _, own=own: own[name]).value(node, key) for own in parameters]  # type: ignore[misc]
    return Values(parameters, data, places)
