"""The reference of all that a variant file may say, as Markdown, made from the configs.

`python -m registry.reference` writes the page that is shipped.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.base import Declared
from gpt_zoo.config.component import Component
from gpt_zoo.config.layer_plan import LAYER_KEYS
from gpt_zoo.config.slot import KINDS, Slot
from registry.kinds import list_kinds, shortest

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

_HEAD = """\
# Reference

All that a variant file may say. [The guide](variants.md) shows how one is written; `gpt-zoo list --kinds` and
`gpt-zoo schema variant` tell the same with your plug-ins.
"""
_TABLE = "\n| field | values | default | meaning |\n|---|---|---|---|\n"
_PLACES = {"rotary_scaling": "`scaling` of rotary positions", "expert": "`expert` and `shared` of a mixture"}


def render_reference() -> str:
    """The page, which ends with a line break."""
    parts = [_HEAD, "\n## The model\n", _TABLE, *_rows(GPTConfig)]
    parts.append(f"\nA layer may override {', '.join(f'`{key}`' for key in LAYER_KEYS)}.\n")
    for slot, kinds in KINDS.items():
        parts.append(f"\n## `{slot}`\n" + (f"\nThe {_PLACES[slot]}.\n" if slot in _PLACES else ""))
        for kind, config in kinds.items():
            about = " ".join((config.__doc__ or "").split())
            parts.append(f"\n### `kind: {kind}`\n\n{about}\nSource: {getattr(config, 'source', '')}.\n")
            rows = list(_rows(config))
            parts += [_TABLE, *rows] if rows else []
    for slot in ("activation", "initialization"):
        parts.append(f"\n## `{slot}`\n\n| name | meaning |\n|---|---|\n")
        parts += [f"| `{kind.name}` | {_cell(kind.source)} |\n" for kind in list_kinds() if kind.slot == slot]
    return "".join(parts)


def _rows(config: type[Declared]) -> Iterator[str]:
    """A row of the table for each field but `kind`."""
    schemas = config.model_json_schema()["properties"]
    for name, field in config.model_fields.items():
        if name == "kind":
            continue
        slot = Slot.of(field)
        values = f"[a kind](#{slot.name})" if slot else _values(schemas[name])
        default = "*needed*" if field.is_required() else f"`{_plain(field.default)}`"
        meaning = re.sub(r"\bNone\b", "null", field.description or "")
        yield f"| `{name}` | {_cell(values)} | {_cell(default)} | {_cell(meaning)} |\n"


def _plain(default: Any) -> str:
    if isinstance(default, Component):
        return "{" + ", ".join(f"{key}: {_plain(value)}" for key, value in shortest(default).items()) + "}"
    return default if isinstance(default, str) else json.dumps(default)


def _values(schema: dict[str, Any]) -> str:
    """What a field may hold, in words, by its JSON Schema."""
    if "anyOf" in schema:
        return " or ".join(_values(option) for option in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = {"integer": "whole number", "boolean": "`true`, `false`", "array": "list", "null": "`null`"}
    words = kind.get(schema.get("type", ""), schema.get("type", "any"))
    bounds = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    limits = [f"{sign} {schema[key]:g}" for key, sign in bounds.items() if key in schema]
    return " ".join([words, ", ".join(limits)]).strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render_reference(), encoding="utf-8")
