"""Models of the Hugging Face hub: read as models of ours, and written so that `transformers` loads them.

model = load_hub_model("folder")          # or "owner/name"
save_hub_model(model, "other-folder")

Each file beside this one is a family: see `gpt_zoo.families.family` for how one is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.model import GPTModel

__all__ = [
    "build_hub_config",
    "find_families",
    "list_families",
    "load_hub_model",
    "read_hub_config",
    "save_hub_model",
]


def list_families() -> list[str]:
    """The families that are known, by `model_type`; in this order they are tried."""
    from gpt_zoo.families.engine.catalog import all_families

    return list(all_families())


def read_hub_config(fields: Mapping[str, Any]) -> GPTConfig:
    """The config that the fields of a config.json declare.

    Raises:
        HubError: (a ValueError) no such family; every field that is missing, not known, or has a value that
            is not supported.
    """
    from gpt_zoo.families.engine.catalog import find_family
    from gpt_zoo.families.engine.read_config import read_config

    return read_config(find_family(fields.get("model_type")), fields).config


def build_hub_config(config: GPTConfig, family: str | None = None) -> dict[str, Any]:
    """The fields of a config.json that mean the same as `config`.

    Args:
        family: A `model_type`; the first that can express the config unless given.

    Raises:
        HubError: (a ValueError) the family, or every family, cannot express the config; names the field.
    """
    from gpt_zoo.families.engine.choice import choose_family
    from gpt_zoo.families.engine.write_config import write_config

    return write_config(choose_family(config, family), config)


def find_families(config: GPTConfig) -> list[str]:
    """The families that can express a config, by `model_type`."""
    from gpt_zoo.families.engine.choice import expressing_families

    return [family.model_type for family in expressing_families(config)]


def load_hub_model(
    source: Path | str, dtype: torch.dtype | Literal["stored"] | None = None, revision: str | None = None
) -> GPTModel:
    """The model of a folder as the Hugging Face hub has it, in evaluation mode.

    Only JSON and safetensors are read: nothing is unpickled, and no code of the folder runs.

    Args:
        source: A folder with config.json and safetensors, sharded or not; or `owner/name` on the hub.
        dtype: Of the weights; float32 unless given, `stored` for that of the file.
        revision: Branch, tag or commit on the hub.

    Raises:
        HubError: (a ValueError) the folder cannot be read, its family is not known, or it says something that
            no variant of ours expresses; names the fields or tensors.
    """
    from gpt_zoo.families.engine.load import load_folder

    return load_folder(source, dtype, revision)


def save_hub_model(
    model: GPTModel,
    folder: Path | str,
    family: str | None = None,
    tokenizer: Path | str | None = None,
    shard_bytes: int | None = None,
) -> None:
    """Write a folder that `transformers` loads with `AutoModelForCausalLM.from_pretrained`.

    Args:
        folder: Made if need be. Weights of an earlier export there are replaced.
        family: A `model_type`; the first that can express the model unless given.
        tokenizer: A folder from which the tokenizer's files are copied.
        shard_bytes: What a file of weights holds at most; 5 GB unless given.

    Raises:
        HubError: (a ValueError) as for `build_hub_config`.
        OSError: the disk is full, or the folder cannot be written.
    """
    from gpt_zoo.families.engine.choice import choose_family
    from gpt_zoo.families.engine.save import save_model
    from gpt_zoo.families.engine.write_weights import SHARD_BYTES

    save_model(
        model,
        Path(folder),
        choose_family(model.config, family),
        None if tokenizer is None else Path(tokenizer),
        shard_bytes or SHARD_BYTES,
    )
