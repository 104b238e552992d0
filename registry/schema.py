"""JSON Schemas of variant and space files, for editors; made from the configs, so they cannot lag behind.

`python -m registry.schema` writes those that are shipped.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from gpt_zoo.config import GPTConfig
from gpt_zoo.config.layer_plan import AT, LAYER_KEYS
from gpt_zoo.config.slot import KINDS, Slot
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.layers.initializations import INITIALIZATIONS
from registry.catalog import VARIANT_NAME
from registry.ranges import Float, Int

Schema = dict[str, Any]

SCHEMA_FOLDER = Path(__file__).parent / "schemas"

_HEADER: Schema = {
    "name": {
        "type": "string",
        "pattern": f"^{VARIANT_NAME.pattern}$",
        "description": "Defaults to the file's stem.",
    },
    "description": {"type": "string", "description": "What it is, in a sentence."},
    "source": {"type": "string", "description": "Paper or model card."},
    "extends": {
        "type": "string",
        "minLength": 1,
        "description": "A name in the catalog, or a file relative to this one; values given here override.",
    },
}

_NAMES: dict[str, Collection[str]] = {"activation": ACTIVATIONS, "initialization": INITIALIZATIONS}


def variant_schema() -> Schema:
    """JSON Schema 2020-12 of a variant file.

    It knows keys, kinds and ranges. Rules between fields, and what `extends` leaves missing, are told by the
    loader.
    """
    return _Builder(searched=False).file(
        "Variant", "A GPT variant: the keys of its config, a name and a story."
    )


def space_schema() -> Schema:
    """JSON Schema 2020-12 of a space file: a variant whose values may be domains."""
    return _Builder(searched=True).file(
        "Space", "A space of GPT variants: a variant whose values may be domains."
    )


def write_schemas(folder: Path = SCHEMA_FOLDER) -> None:
    """Write both schemas into `folder`."""
    for name, schema in {"variant": variant_schema(), "space": space_schema()}.items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")


class _Builder:
    """Collects the definitions of one schema.

    Args:
        searched: Whether values may be domains.
    """

    def __init__(self, searched: bool) -> None:
        self.searched = searched
        self.definitions: Schema = {}

    def file(self, title: str, description: str) -> Schema:
        model = GPTConfig.model_json_schema()
        fields = {key: self._field(key, model["properties"][key]) for key in GPTConfig.model_fields}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "description": description,
            "type": "object",
            "properties": _HEADER | fields,
            "additionalProperties": False,
            "anyOf": [{"required": ["extends"]}, {"required": model["required"]}],
            "$defs": dict(sorted(self.definitions.items())),
        }

    def _field(self, key: str, schema: Schema) -> Schema:
        about = {word: schema[word] for word in ("title", "description", "default") if word in schema}
        if key in KINDS:
            return about | self._slot(Slot(key))
        if key in ("layers", "single_layers"):
            items = self._layer() if key == "layers" else self._single_layer()
            return about | self._value(key, {"type": "array", "items": items})
        if key in _NAMES:
            schema = schema | {"enum": list(_NAMES[key])}
        return about | self._value(key, {word: value for word, value in schema.items() if word not in about})

    def _value(self, name: str, schema: Schema) -> Schema:
        """A reference to the definition of a value, which in a space may be a domain instead."""
        if not self.searched:
            return self._define(name, schema)
        here = {"$ref": f"#/$defs/{name}"}
        domains = [_one_key("choice", {"type": "array", "minItems": 1, "items": here})]
        types = _types(schema)
        if types & {"integer", "number"}:
            domains.append(_one_key("int", self._range(Int)))
        if "number" in types:
            domains.append(_one_key("float", self._range(Float)))
        return self._define(name, {"anyOf": [schema, *domains]})

    def _define(self, name: str, schema: Schema) -> Schema:
        self.definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def _range(self, domain: type[Int] | type[Float]) -> Schema:
        schema = domain.model_json_schema()
        schema["description"] = "A range, both ends included."
        return self._define(domain.__name__.lower() + "_range", schema)

    def _slot(self, slot: Slot) -> Schema:
        """A reference to what may stand in a slot."""
        here = {"$ref": f"#/$defs/{slot.name}"}
        if slot.name not in self.definitions:
            self.definitions[slot.name] = {}  # a kind may hold another of its own slot
            here = self._value(slot.name, {"oneOf": self._kinds(slot.name)})
        if slot.optional:
            return self._value(f"{slot.name}_or_null", {"anyOf": [here, {"type": "null"}]})
        return here

    def _kinds(self, slot: str) -> list[Schema]:
        """One schema a kind, and one for a mapping that states no kind, as the kind is inherited."""
        schemas: list[Schema] = []
        known: dict[str, list[Schema]] = {}
        for kind, config in KINDS[slot].items():
            schema = config.model_json_schema()
            self._define_parts(schema)
            fields = {}
            for key, value in schema["properties"].items():
                about = {word: value[word] for word in ("title", "description", "default") if word in value}
                bare = {word: part for word, part in value.items() if word not in about}
                if key == "kind":
                    fields[key] = {"const": kind, "description": schema.get("description", "")}
                    continue
                held = Slot.of(config.model_fields[key])
                reference = self._slot(held) if held else self._value(f"{slot}.{kind}.{key}", bare)
                fields[key] = about | reference
                known.setdefault(key, []).append(reference)
            schemas.append(_closed(fields) | {"title": kind, "required": ["kind"]})
            source = getattr(config, "source", "")
            schemas[-1]["description"] = f"{schema.get('description', '')} {source}".strip()
        return [*schemas, self._inherited(slot, known)]

    def _define_parts(self, schema: Schema) -> None:
        """Take over what pydantic has defined apart, but for components, which have schemas of their own."""
        components = {config.__name__ for kinds in KINDS.values() for config in kinds.values()}
        parts = schema.get("$defs", {})
        self.definitions |= {name: part for name, part in parts.items() if name not in components}

    def _inherited(self, slot: str, known: dict[str, list[Schema]]) -> Schema:
        fields: Schema = {key: {"anyOf": references} for key, references in known.items()}
        if self.searched:
            kinds = {"type": "array", "minItems": 1, "items": {"enum": list(KINDS[slot])}}
            fields["kind"] = _one_key("choice", kinds)
        return _closed(fields) | {"title": f"{slot} of the inherited kind"}

    def _layer(self) -> Schema:
        return self._value("layer", _closed(_layer_fields()) | {"title": "layer"})

    def _single_layer(self) -> Schema:
        place = {"type": "integer", "description": "From 0, or from -1 at the end."}
        at = self._value(AT, {"anyOf": [place, {"type": "array", "minItems": 1, "items": place}]})
        layer = _closed({AT: at} | _layer_fields()) | {"title": "single layer", "required": [AT]}
        return self._value("single_layer", layer)


def _layer_fields() -> Schema:
    return {key: {"$ref": f"#/$defs/{key}"} for key in LAYER_KEYS}


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _one_key(key: str, schema: Schema) -> Schema:
    return _closed({key: schema}) | {"required": [key], "title": key}


def _types(schema: Schema) -> set[str]:
    found = {schema["type"]} if isinstance(schema.get("type"), str) else set()
    return found.union(*(_types(option) for option in schema.get("anyOf", [])))


if __name__ == "__main__":
    write_schemas()
