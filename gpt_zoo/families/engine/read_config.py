"""config.json read by a family's table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.config.gpt import MOST_LAYERS, GPTConfig
from gpt_zoo.config.merge import deep_merge
from gpt_zoo.families.engine.config_rules import REQUIRED, Rule
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.paths import nest
from gpt_zoo.families.engine.shared_rules import ALWAYS_CHECKED, NOT_COMPUTED

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from gpt_zoo.families.family import Family

Override = dict[str, Any]
SIZES = frozenset({"vocab_size", "context_length", "emb_dim", "n_layers", "n_heads"})
"""Ours that rows compute with."""
USUAL = {"embedding.kind": "token", "head.kind": "linear"}
"""Slots of one kind: no family has to say it."""


class ReadConfig(NamedTuple):
    """What a config.json means here."""

    config: GPTConfig
    ignored: dict[str, Any]
    """Fields that change nothing of what is computed."""


def read_config(family: Family, given: Mapping[str, Any]) -> ReadConfig:
    """Translate a config.json.

    Raises:
        HubError: every field that is missing, unknown, or has a value that is not supported.
    """
    problems: list[str] = []
    hub, ignored = _known_fields(family, given, problems)
    reading = _Reading(hub, family.always)
    for rule in (*ALWAYS_CHECKED, *family.config):
        if not any(hub[name] is REQUIRED for name in rule.fields()):
            problems.extend(reading.add(rule))
    if problems:
        raise HubError(f"a config of `{family.model_type}` that cannot be read: {'; '.join(problems)}")
    data = lay_out_layers(nest(reading.values), merge_layers(reading.layers))
    try:
        return ReadConfig(GPTConfig.model_validate(data), ignored)
    except ValidationError as error:
        told = "; ".join(reading.explain(line) for line in error.errors())
        raise HubError(f"a config of `{family.model_type}` that declares no model: {told}") from error


class _Reading:
    """What the rows have given so far.

    Args:
        hub: Fields of config.json, with defaults.
        always: Ours that hold for the whole family.
    """

    def __init__(self, hub: Mapping[str, Any], always: Mapping[str, Any]) -> None:
        self.hub = hub
        self.values: dict[str, Any] = {**USUAL, **always}
        self.layers: list[Sequence[Override]] = []
        self._fields: dict[str, list[str]] = {}
        """The fields that a path comes from."""
        self._broken = False

    def add(self, rule: Rule) -> Iterator[str]:
        """Read a row; gives what is wrong."""
        try:
            read = rule.read(self.hub, self.values)
        except HubError as error:
            yield str(error)
            return
        except (TypeError, ValueError, KeyError, IndexError, ArithmeticError, AttributeError) as error:
            # A row computes with what it is given; text in the place of a number ends it in many ways. After
            # a size that is none it says nothing new.
            if not self._broken:
                yield f"{self._tell(rule.fields())} cannot be read ({error!r})"
            return
        for path in read.keys() & SIZES:
            size = read[path]
            if type(size) is not int or size < 1 or (path == "n_layers" and size > MOST_LAYERS):
                self._broken = True
                del read[path]  # rows below could count up to it
                most = f" and up to {MOST_LAYERS}" if path == "n_layers" else ""
                yield f"{self._tell(rule.fields())} must be a whole number above 0{most}"
        if "layers" in read:
            self.layers.append(read.pop("layers"))
        self.values.update(read)
        self._fields.update({path: list(rule.fields()) for path in read})

    def _tell(self, names: Iterable[str]) -> str:
        return ", ".join(f"`{name}` {self.hub[name]!r}" for name in names)

    def explain(self, line: ErrorDetails) -> str:
        """An entry of a pydantic error, with the fields of config.json that it comes from."""
        path = ".".join(map(str, line["loc"]))
        names = dict.fromkeys(
            name
            for known, fields in self._fields.items()
            if f"{known}.".startswith(f"{path}.") or f"{path}.".startswith(f"{known}.")
            for name in fields
        )
        return f"{self._tell(names)}{', here ' if names else ''}`{path}`: {line['msg']}"


def _known_fields(
    family: Family, given: Mapping[str, Any], problems: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that rows answer for, with defaults, and those that nothing needs."""
    hub: dict[str, Any] = {}
    ignored: dict[str, Any] = {}
    for rule in (*ALWAYS_CHECKED, *family.config):
        hub.update(rule.fields())
    for spelling, value in given.items():
        name = family.renamed.get(spelling, spelling)
        if name != spelling and name in given and given[name] != value:
            problems.append(f"`{spelling}` is {value!r}, but `{name}`, which means the same, {given[name]!r}")
        elif isinstance(hub.get(name), bool) and not isinstance(value, bool | None):
            problems.append(f"`{name}` is {value!r}; supported is true or false")  # not any text, as true
        elif name in hub:
            hub[name] = REQUIRED if value is None and hub[name] is REQUIRED else value
        elif name in NOT_COMPUTED or name in family.ignored:
            ignored[name] = value
        else:
            problems.append(f"`{name}` is {value!r}, and not known here; {did_you_mean(name, hub)}")
    missing = [name for name, value in hub.items() if value is REQUIRED]
    problems.extend(f"`{name}` is missing or null" for name in missing)
    return hub, ignored


def merge_layers(overrides: Iterable[Sequence[Override]]) -> list[Override]:
    """The overrides of each layer, of all rows together."""
    merged: list[Override] = []
    for layers in overrides:
        merged = [deep_merge(*pair) for pair in zip(merged, layers, strict=True)] if merged else list(layers)
    return merged


def lay_out_layers(data: dict[str, Any], overrides: Sequence[Override]) -> dict[str, Any]:
    """The config with what its layers override, said as shortly as it can be.

    Args:
        overrides: One a layer; none if all are alike.
    """
    if not any(overrides):
        return data
    # As text, overrides are compared at once, however many layers there are.
    texts = [json.dumps(override, sort_keys=True) for override in overrides]
    period = _period(texts)
    if period == 1:
        return deep_merge(data, overrides[0])
    if period <= len(overrides) // 2:
        return {**data, "layers": list(overrides[:period])}
    places: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        places.setdefault(text, []).append(index)
    groups = ((at, overrides[at[0]]) for at in places.values())
    return {**data, "single_layers": [{"at": at, **override} for at, override in groups if override]}


def _period(texts: Sequence[str]) -> int:
    """After how many entries they repeat, up to the end; the number of them if they do not.

    Source: Knuth, Morris and Pratt 1977, "Fast pattern matching in strings": what is left beside the longest
    beginning that is an end too.
    """
    borders = [0]
    for text in texts[1:]:
        border = borders[-1]
        while border and texts[border] != text:
            border = borders[border - 1]
        borders.append(border + (texts[border] == text))
    return len(texts) - borders[-1]
