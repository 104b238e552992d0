"""The files of a checkpoint by name, and its variant as YAML: the config, and what is told about it.

Without torch.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpt_zoo.config.gpt import GPTConfig

VARIANT, WEIGHTS, SUMS = "variant.yaml", "model.safetensors", "SHA256SUMS"
STORY = ("name", "description", "source")
"""Keys of a variant that are not its config's."""


def render_variant(config: GPTConfig, story: Mapping[str, str] | None = None) -> str:
    """A variant file as YAML: the story, and every value of the config."""
    import yaml

    told = {key: value for key, value in (story or {}).items() if key in STORY and value}
    # Through JSON, so that it is plain data of which no two places are the same object.
    data = {**told, **json.loads(config.model_dump_json())}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def load_variant_config(path: Path) -> GPTConfig:
    """The config of a variant file that `render_variant` wrote.

    Raises:
        ValueError: it is no YAML, or declares no model.
    """
    import yaml

    try:
        text = path.read_text("utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError(f"{path} must say each value itself; YAML's aliases (*name) are not accepted")
        data = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path} declares no model: it must hold keys with values, such as `n_heads: 4`")
    fields: dict[str, Any] = {key: value for key, value in data.items() if key not in STORY}
    try:
        return GPTConfig.model_validate(fields)
    except ValueError as error:
        raise ValueError(f"{path} declares no model: {error}") from error
