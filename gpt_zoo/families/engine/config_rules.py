"""What a row of a family's config table can be: how a field of config.json and our fields belong together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gpt_zoo.families.engine.errors import HubError

if TYPE_CHECKING:
    from gpt_zoo.families.engine.meaning import Meaning

Hub = Mapping[str, Any]
"""Fields of config.json; what is absent has the default of its rule."""
Ours = Mapping[str, Any]
"""Values of our config by path, as far as the rows above have given them."""
REQUIRED = object()
"""In the place of a default: the field must be there."""


class Rule:
    """A row: which fields of config.json it answers for, and both directions."""

    def fields(self) -> dict[str, Any]:
        """The fields with what `transformers` takes where they are absent, or REQUIRED."""
        raise NotImplementedError

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """Values of our config by path.

        `layers`, if among them, has one partial config a layer, often empty; those of all rows are merged.

        Raises:
            HubError: a value that is not supported.
        """
        raise NotImplementedError

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """Values of fields of config.json, as near as it gets.

        What comes out wrong need not be noticed here: whatever is written is read back and compared.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Field(Rule):
    """The same thing under another name: `Field("hidden_size", "emb_dim")`.

    Args:
        hub: Field of config.json.
        ours: Path in our config, of the model or of its layers.
        default: What `transformers` takes where the field is absent.
        values: Ours for each value of theirs, where these differ; others are refused. Of several that mean
            the same, the first is written.
    """

    hub: str
    ours: str
    default: Any = REQUIRED
    values: Mapping[Any, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """The one."""
        return {self.hub: self.default}

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The value, or what it stands for."""
        value = hub[self.hub]
        if self.values is None:
            return {self.ours: value}
        if not _hashable(value) or value not in self.values:
            raise unsupported(self.hub, value, self.values)
        return {self.ours: self.values[value]}

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """The value, or the first that stands for it; nothing if there is none."""
        if self.ours not in ours:
            return {}
        value = ours[self.ours]
        if self.values is None:
            return {self.hub: value}
        name = next((name for name, meant in self.values.items() if meant == value), None)
        return {} if name is None else {self.hub: name}


class Only(Rule):
    """A field of which one value, or a few that compute the same, are supported: `Only("pretraining_tp", 1)`.

    Args:
        hub: Field of config.json.
        value: Supported, written, and the default.
        also: Supported too.
        written: False for a field that folders have, but `transformers` does not know.
    """

    def __init__(self, hub: str, value: Any, *also: Any, written: bool = True) -> None:
        self.hub, self.supported, self.written = hub, (value, *also), written

    def fields(self) -> dict[str, Any]:
        """The one."""
        return {self.hub: self.supported[0]}

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """Nothing, if the value is supported."""
        if hub[self.hub] not in self.supported:
            raise unsupported(self.hub, hub[self.hub], self.supported)
        return {}

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """The value."""
        return {self.hub: self.supported[0]} if self.written else {}


@dataclass(frozen=True)
class Computed(Rule):
    """Fields and ours that do not match one to one: two small functions of the family file.

    Args:
        hub: Fields of config.json with their defaults.
        reads: Ours of theirs: (hub, ours so far) -> values by path. Raises HubError.
        writes: Theirs of ours: meaning -> fields.
    """

    hub: Mapping[str, Any]
    reads: Callable[[Hub, Ours], dict[str, Any]]
    writes: Callable[["Meaning"], dict[str, Any]] = field(default=lambda ours: {})

    def fields(self) -> dict[str, Any]:
        """As given."""
        return dict(self.hub)

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """As the family computes it."""
        return self.reads(hub, ours)

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """As the family computes it."""
        return self.writes(ours)


class Dropout(Rule):
    """Rates of dropout, of which we have one: the first is taken, as a trained model drops nothing.

    Args:
        hub: Fields of config.json.
        default: Where the first is absent.
    """

    def __init__(self, *hub: str, default: float = 0.0) -> None:
        self.hub, self.default = hub, default

    def fields(self) -> dict[str, Any]:
        """All of them."""
        return dict.fromkeys(self.hub, self.default)

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The first."""
        return {"drop_rate": hub[self.hub[0]]}

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """All alike."""
        return dict.fromkeys(self.hub, ours.config.drop_rate)


@dataclass(frozen=True)
class KeyValueHeads(Rule):
    """How many key/value heads there are; null means as many as query heads. Stands below `n_heads`."""

    hub: str = "num_key_value_heads"
    default: Any = None

    def fields(self) -> dict[str, Any]:
        """The one."""
        return {self.hub: self.default}

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The kind of attention."""
        return attention_kind(ours["n_heads"], hub[self.hub])

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """The number."""
        return {self.hub: ours["attention.n_kv_heads"]} if "attention.n_kv_heads" in ours else {}


def attention_kind(n_heads: Any, n_kv_heads: Any) -> dict[str, Any]:
    """The softmax attention with these many heads, as values by path."""
    if n_kv_heads is None or n_kv_heads == n_heads:
        return {"attention.kind": "multi_head"}
    if n_kv_heads == 1:
        return {"attention.kind": "multi_query"}
    return {"attention.kind": "grouped_query", "attention.n_kv_heads": n_kv_heads}


def unsupported(name: str, value: Any, supported: Any) -> HubError:
    """The error about a value of config.json that no variant of ours expresses."""
    known = " or ".join(repr(item) for item in supported)
    return HubError(f"`{name}` is {value!r}; supported is {known}")


def _hashable(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)
