"""How the layers of a model differ: the overrides that repeat, and those of single layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic_core import InitErrorDetails

from gpt_zoo.config.base import did_you_mean, problem
from gpt_zoo.config.merge import deep_merge

KeyPath = tuple[int | str, ...]
Override = dict[str, Any]

LAYER_KEYS = (
    "n_heads",
    "drop_rate",
    "qkv_bias",
    "activation",
    "attention",
    "position",
    "norm",
    "feed_forward",
    "block",
)
"""What a layer may have otherwise than the rest."""
AT = "at"
"""The key that says which layers a single override is for."""


def unknown_keys(
    overrides: tuple[Override, ...], model_keys: set[str], also: str
) -> Iterator[InitErrorDetails]:
    """A problem for each key of the overrides that is none of a layer's, nor `also`."""
    for index, override in enumerate(overrides):
        for key in sorted(override.keys() - {*LAYER_KEYS, also}):
            message = f"a layer cannot override `{key}`; {did_you_mean(key, LAYER_KEYS)}"
            if key in model_keys:
                message = f"`{key}` is the same for all layers; a layer can override {', '.join(LAYER_KEYS)}"
            yield InitErrorDetails(**{**problem(message), "loc": (index, key)})


def layers_at(override: Override) -> list[Any]:
    """The layers that a single override is for, as declared."""
    at = override.get(AT)
    return list(at) if isinstance(at, list | tuple) else [at]


def wrong_places(singles: tuple[Override, ...], n_layers: int) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the `at` of single overrides: where, and what to say."""
    for index, override in enumerate(singles):
        example = f"`{AT}` must be the number of a layer or a list of them, from 0, or from -1 at the end"
        if AT not in override:
            yield ("single_layers", index), f"`{AT}` is missing; {example}, such as {AT}: 0"
            continue
        if layers_at(override) == []:
            yield ("single_layers", index, AT), f"{example}; got none, try {AT}: 0"
        for place in layers_at(override):
            if not isinstance(place, int) or isinstance(place, bool):
                yield ("single_layers", index, AT), f"{example}; got {place!r}, try {AT}: 0"
            elif not -n_layers <= place < n_layers:
                near = n_layers - 1 if place > 0 else -n_layers
                yield (
                    ("single_layers", index, AT),
                    f"{example}; got {place} of {n_layers} layers, try {near}",
                )


Recipe = tuple[int | None, tuple[int, ...]]
"""The number of a repeated override, if there are any, and those of single ones."""


class LayerPlan:
    """Which overrides each layer has.

    Args:
        repeated: Overrides that repeat over the model.
        singles: Overrides with an `at`, laid over the repeated ones in their order.
    """

    def __init__(self, repeated: tuple[Override, ...], singles: tuple[Override, ...], n_layers: int) -> None:
        self.repeated, self.singles = repeated, singles
        single_at: dict[int, list[int]] = {}
        for number, override in enumerate(singles):
            for place in layers_at(override):
                single_at.setdefault(place % n_layers, []).append(number)
        written = [repr(override) for override in repeated]  # equality takes true for 1
        first = [written.index(text) for text in written]
        self.recipes: list[Recipe] = [
            (first[layer % len(repeated)] if repeated else None, tuple(single_at.get(layer, ())))
            for layer in range(n_layers)
        ]
        """That of each layer; overrides that repeat one before are that one."""
        self.distinct = list(dict.fromkeys(self.recipes))
        """The recipes in the order of their first layer."""

    def lay(self, recipe: Recipe, base: dict[str, Any]) -> dict[str, Any]:
        """`base` with the overrides of a recipe laid over it, one after the other."""
        number, singles = recipe
        merged = base if number is None else deep_merge(base, self.repeated[number])
        for single in singles:
            own = {key: value for key, value in self.singles[single].items() if key != AT}
            merged = deep_merge(merged, own)
        return merged

    def place(self, recipe: Recipe) -> KeyPath:
        """Where a problem with a recipe is told: at the last override that made it."""
        number, singles = recipe
        if singles:
            return ("single_layers", singles[-1])
        return () if number is None else ("layers", number)
