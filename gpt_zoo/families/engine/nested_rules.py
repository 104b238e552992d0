"""A mapping within config.json that has rows of its own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.families.engine.config_rules import Hub, Ours, Rule
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.shared_rules import ALWAYS_CHECKED, NOT_COMPUTED

if TYPE_CHECKING:
    from gpt_zoo.families.engine.meaning import Meaning


@dataclass(frozen=True)
class Nested(Rule):
    """Rows for the fields of a mapping: `Nested("attn_config", [Field("clip_qkv", "attention.clip", None)])`.

    Args:
        hub: Field of config.json that holds it; all its fields have their defaults where it is absent.
        rows: Those of its fields.
        ignored: Fields in it that change nothing of what is computed.
    """

    hub: str
    rows: Sequence[Rule]
    ignored: Collection[str] = ()

    def fields(self) -> dict[str, Any]:
        """The one."""
        return {self.hub: None}

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """What all rows give."""
        rows = (*ALWAYS_CHECKED, *self.rows)
        inner = {name: default for rule in rows for name, default in rule.fields().items()}
        for name, value in (hub[self.hub] or {}).items():
            if name in inner:
                inner[name] = value
            elif name not in self.ignored and name not in NOT_COMPUTED:
                told = did_you_mean(name, inner)
                raise HubError(f"`{self.hub}`: `{name}` is {value!r}, and not known here; {told}")
        found: dict[str, Any] = {}
        for rule in rows:
            try:
                found |= rule.read(inner, {**ours, **found})
            except HubError as error:
                raise HubError(f"`{self.hub}`: {error}") from error
        return found

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """What all rows write."""
        inner: dict[str, Any] = {}
        for rule in self.rows:
            inner.update(rule.write(ours))
        return {self.hub: inner}
