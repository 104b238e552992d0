"""The table of a space: a row a point, with its verdict, the names of its config, and its costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.canonical import SHARED_KEYS, canonical_field, canonical_layers, hash_text, plain
from gpt_zoo.cost.model import model_cost
from registry.costing.fields import FIELDS, Broken, Field, fix_field, read_field
from registry.costing.grouping import Grouping
from registry.costing.points import Points, choose_points
from registry.costing.rules import find_broken, name_rule
from registry.costing.view import PointView
from registry.space import SearchSpace

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Measure = Callable[[GPTConfig], Mapping[str, Any]]
"""Numbers of a config, by name; always the same names."""
PARAMETER = "parameters."


def costs(config: GPTConfig) -> Mapping[str, Any]:
    """All numbers of `model_cost`."""
    return vars(model_cost(config))


@dataclass(frozen=True)
class SpaceTable:
    """Points of a space and what is known of them before any training.

    Args:
        points: Which they are.
        broken: What is wrong with each point that is no valid config.
        table: A row a point: what was chosen (`parameters.<key path>`), `valid`, `rule` (the first that an
            invalid one breaks), `config_hash`, `canonical_hash`, and the numbers of the measures.
    """

    points: Points
    broken: dict[int, tuple[Broken, ...]]
    table: pd.DataFrame


def space_table(
    space: SearchSpace,
    most: int = 100_000,
    seed: int = 0,
    fixed: Mapping[str, Any] | None = None,
    measures: Sequence[Measure] = (costs,),
) -> SpaceTable:
    """Validate and cost the points of a space. No torch, and nothing is allocated.

    Args:
        most: Points of the table; of a larger space so many are drawn.
        seed: Of the draw.
        fixed: Values that all models are given, whatever the space says, such as a tokenizer's `vocab_size`.
        measures: Functions of a config whose numbers become columns.

    Raises:
        ValueError: `most` is below 1.
    """
    return _Tabulation(choose_points(space, most, seed), fixed or {}).tabulate(measures)


class _Tabulation:
    def __init__(self, points: Points, fixed: Mapping[str, Any]) -> None:
        self.points = points
        given = points.values
        self.declared = {
            key: [read_field(key, data) for data in values.data] for key, values in given.items()
        }
        defaults = {
            key: [Field(field.get_default(call_default_factory=True))]
            for key, field in GPTConfig.model_fields.items()
            if key not in given
        }
        self.fitted = {
            key: [fix_field(key, field, fixed) for field in fields]
            for key, fields in {**self.declared, **defaults}.items()
        }
        self.declared |= defaults
        self.places = {key: values.places for key, values in given.items() if len(values.data) > 1}

    def tabulate(self, measures: Sequence[Measure]) -> SpaceTable:
        import numpy as np
        import pandas as pd

        number = self.points.number
        broken = find_broken(self._grouping(self.declared), self.declared, self._data, number)
        valid = np.ones(number, dtype=bool)
        valid[list(broken)] = False
        points, grouping = np.flatnonzero(valid), self._grouping(self.fitted)
        columns: dict[str, Any] = self._parameters()
        columns["valid"] = valid
        columns["rule"] = pd.Series(
            [name_rule(broken[point][0]) if point in broken else None for point in range(number)],
            dtype="string",
        )
        columns["config_hash"] = _spread(self._hashes(points), points, number)
        columns["canonical_hash"] = _spread(self._canonical_hashes(grouping, points), points, number)
        for measure in measures:
            results, which = grouping.evaluate(measure, points)  # type: ignore[arg-type]
            rows = pd.DataFrame(results).convert_dtypes().take(which)
            rows.index = pd.Index(points)
            columns |= {str(name): column for name, column in rows.reindex(range(number)).items()}
        return SpaceTable(self.points, broken, pd.DataFrame(columns))

    def _grouping(self, fields: Mapping[str, list[Field]]) -> Grouping:
        merged: dict[Any, Field] = {}
        places = {key: (self.places.get(key), values) for key, values in fields.items()}

        def view(point: int) -> PointView:
            def look_up(key: str) -> Any:
                place, values = places[key]
                return values[0 if place is None else place[point]].value

            return PointView(look_up, merged)

        return Grouping(self.places, view)

    def _data(self, point: int) -> dict[str, Any]:
        return {key: values.data[values.places[point]] for key, values in self.points.values.items()}

    def _parameters(self) -> dict[str, Any]:
        import pandas as pd

        columns: dict[str, Any] = {}
        for values in self.points.values.values():
            for name in dict.fromkeys(name for chosen in values.parameters for name in chosen):
                own = pd.Series([chosen.get(name) for chosen in values.parameters]).convert_dtypes()
                columns[PARAMETER + name] = own.take(values.places).array
        return columns

    def _hashes(self, points: NDArray[np.int64]) -> list[str]:
        """The names of configs as they are trained."""
        pieces = {key: [_piece(field.value) for field in fields] for key, fields in self.fitted.items()}
        return self._join(pieces, self.places, points)

    def _canonical_hashes(self, grouping: Grouping, points: NDArray[np.int64]) -> list[str]:
        """The names of their canonical forms."""
        import numpy as np

        differ, which = grouping.evaluate(lambda view: bool(view.layers or view.single_layers), points)
        layered = np.array(differ, dtype=bool)[which] if len(points) else np.zeros(0, dtype=bool)
        names = np.empty(len(points), dtype=object)
        for some in (layered, ~layered):
            pieces, places = self._canonical_pieces(grouping, points[some], bool(some is layered))
            names[some] = self._join(pieces, places, np.arange(int(some.sum())))
        return list(names)

    def _canonical_pieces(
        self, grouping: Grouping, points: NDArray[np.int64], layered: bool
    ) -> tuple[dict[str, list[str]], dict[str, NDArray[np.int64]]]:
        """The JSON of each field of canonical forms, and which piece each point has."""
        pieces: dict[str, list[str]] = {key: ["[]"] for key in ("layers", "single_layers")}
        places: dict[str, NDArray[np.int64]] = {}
        for key in SHARED_KEYS if layered else FIELDS - pieces.keys():

            def piece(view: Any, key: str = key) -> str:
                return _piece(canonical_field(view, key))

            pieces[key], places[key] = grouping.evaluate(piece, points)
        if layered:
            found, own = grouping.evaluate(_layer_pieces, points)
            for key in FIELDS - set(SHARED_KEYS):
                pieces[key], places[key] = [one[key] for one in found], own
        return pieces, places

    @staticmethod
    def _join(
        pieces: Mapping[str, list[str]], places: Mapping[str, NDArray[np.int64]], points: NDArray[np.int64]
    ) -> list[str]:
        """The hashes of the JSON that is made of a piece a key."""
        told = {key: [f'"{key}": {piece}' for piece in pieces[key]] for key in sorted(pieces)}
        rows = [
            [own[0]] * len(points)
            if key not in places
            else [own[place] for place in places[key][points].tolist()]
            for key, own in told.items()
        ]
        return [hash_text("{" + ", ".join(row) + "}") for row in zip(*rows, strict=True)]


def _piece(value: Any) -> str:
    return json.dumps(plain(value), sort_keys=True)


def _layer_pieces(view: Any) -> dict[str, str]:
    return {key: _piece(value) for key, value in canonical_layers(view).items()}


def _spread(names: list[str], points: NDArray[np.int64], number: int) -> Any:
    """A column of texts that only some points have."""
    import pandas as pd

    return pd.Series(names, index=points, dtype="string").reindex(range(number))
