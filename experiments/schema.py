"""JSON Schema of experiment files, for editors. `python -m experiments.schema` writes the shipped one."""

import json
from pathlib import Path
from typing import Any

from experiments.experiment import ExperimentConfig
from registry.schema import space_schema, variant_schema

SCHEMA_FOLDER = Path(__file__).parent / "schemas"


def experiment_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of an experiment file, with those of variants and spaces inside."""
    schema = ExperimentConfig.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    variant = _embed(variant_schema(), "variant", definitions)
    space = _embed(space_schema(), "space", definitions)
    keys = schema["properties"]
    keys["variants"] = {
        **{key: keys["variants"][key] for key in ("title", "description")},
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"type": "string"}, variant]},
    }
    keys["space"] = {**space, "description": keys["space"]["description"]}
    schema["oneOf"] = [{"required": ["variants"]}, {"required": ["space"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Experiment"}


def _embed(schema: dict[str, Any], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Move a schema and its definitions below `name` in `definitions`; a reference to it."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: _moved(entry, name) if key == "$ref" else renamed(entry) for key, entry in value.items()
            }
        return [renamed(entry) for entry in value] if isinstance(value, list) else value

    body = {key: value for key, value in schema.items() if key not in ("$schema", "$defs")}
    definitions[name] = renamed(body)
    for key, value in schema.get("$defs", {}).items():
        definitions[f"{name}.{key}"] = renamed(value)
    return {"$ref": f"#/$defs/{name}"}


def _moved(reference: str, name: str) -> str:
    return reference.replace("#/$defs/", f"#/$defs/{name}.")


def write_schema(folder: Path = SCHEMA_FOLDER) -> None:
    """Write the schema into `folder`."""
    text = json.dumps(experiment_schema(), indent=2, ensure_ascii=False) + "\n"
    (folder / "experiment.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schema()
