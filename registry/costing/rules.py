"""Which points break rules, and what is said about them: as `SearchSpace.variant` says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gpt_zoo.config.gpt import COMPONENTS, MODEL_COMPONENTS, GPTConfig
from registry.costing.fields import Broken, Field
from registry.costing.grouping import Grouping
from registry.costing.view import InvalidLayerError, PointView, as_config
from registry.errors import describe
from registry.key_path import format_key_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VALUE = re.compile(r"(?<![\w`])-?\d[\d.,e+-]*")


def name_rule(broken: Broken) -> str:
    """The rule without the values that break it, which is the same for all points that break it."""
    rule = re.split(r",? got |; try ", broken.message, maxsplit=1)[0]
    return f"{broken.path}: {_VALUE.sub('…', rule)}" if broken.path else _VALUE.sub("…", rule)


def find_broken(
    grouping: Grouping, fields: dict[str, list[Field]], data: Any, number: int
) -> dict[int, tuple[Broken, ...]]:
    """The points that are no valid config, with all that is wrong with each.

    Args:
        fields: The values of each key.
        data: Gives the plain data of a point.
        number: Of points.
    """
    import numpy as np

    broken: dict[int, tuple[Broken, ...]] = {}
    for key, values in fields.items():
        wrong = [place for place, field in enumerate(values) if field.broken]
        if wrong and key in grouping.places:
            for point in np.flatnonzero(np.isin(grouping.places[key], wrong)).tolist():
                broken[point] = (*broken.get(point, ()), *values[grouping.places[key][point]].broken)
        elif wrong:
            broken |= {point: (*broken.get(point, ()), *values[0].broken) for point in range(number)}
    sound = np.setdiff1d(np.arange(number), np.array(list(broken), dtype=np.int64))
    layered, which = grouping.evaluate(lambda view: bool(view.layers or view.single_layers), sound)
    differ = np.array(layered, dtype=bool)[which] if len(sound) else np.zeros(0, dtype=bool)
    broken |= _alike(grouping, sound[~differ])
    valid, which = grouping.evaluate(_layers_fit, sound[differ])
    for point, place in zip(sound[differ].tolist(), which.tolist(), strict=True):
        if not valid[place]:
            broken[point] = tuple(_validate(data(point)))
    return dict(sorted(broken.items()))


def _alike(grouping: Grouping, points: NDArray[np.int64]) -> dict[int, tuple[Broken, ...]]:
    """The rules that models break whose layers are all alike."""
    told: dict[int, dict[str, str]] = {}
    for name in COMPONENTS:

        def rules(view: Any, name: str = name) -> list[Broken]:
            broken = getattr(view, name).broken_rules(view)
            return [Broken(format_key_path(rule.path), rule.message + rule.for_all) for rule in broken]

        found, which = grouping.evaluate(rules, points)
        wrong = [place for place, rules_of in enumerate(found) if rules_of]
        if wrong:
            for point, place in zip(points.tolist(), which.tolist(), strict=True):
                if found[place]:
                    told.setdefault(point, {}).update(found[place])  # of one place, the last is told
    return {point: tuple(Broken(*pair) for pair in rules_of.items()) for point, rules_of in told.items()}


def _layers_fit(view: PointView) -> bool:
    """Whether a model whose layers differ is valid."""
    if next(GPTConfig.misplaced(as_config(view)), None) is not None:
        return False
    try:
        return not any(_layer_problems(view))
    except InvalidLayerError:
        return False


def _layer_problems(view: Any) -> Iterator[bool]:
    for name in MODEL_COMPONENTS:
        yield from (True for _ in getattr(view, name).broken_rules(view))
    layers = [layer for layer, _ in view.distinct_layers]
    for layer in layers:
        for name in COMPONENTS:
            yield from (True for _ in getattr(layer, name).broken_rules(layer))
    shapes = [shape for layer in layers if (shape := layer.attention.shared_values(layer))]
    for layer in layers:
        yield from (True for _ in GPTConfig.misfits(view, layer, shapes))


def _validate(data: dict[str, Any]) -> Iterator[Broken]:
    """What a config says to data that is none."""
    try:
        GPTConfig.model_validate(data)
    except ValidationError as error:
        for line in error.errors():
            yield Broken(format_key_path(line["loc"]), describe(line))
