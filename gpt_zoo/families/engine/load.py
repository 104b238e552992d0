"""A folder of the hub read as a model of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.families.engine.catalog import find_family
from gpt_zoo.families.engine.download import find_folder
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.hub_folder import HubFolder
from gpt_zoo.families.engine.read_config import read_config
from gpt_zoo.families.engine.read_weights import load_model
from gpt_zoo.families.engine.stored_tensors import StoredTensors
from gpt_zoo.families.family import Family
from gpt_zoo.model import GPTModel


def load_folder(
    source: Path | str, dtype: torch.dtype | Literal["stored"] | None, revision: str | None = None
) -> GPTModel:
    """The model of a folder, or of a name on the hub.

    Raises:
        HubError: it cannot be read, or is not expressible here.
    """
    folder = HubFolder(find_folder(source, revision))
    fields = folder.load_config()
    family = find_family(fields.get("model_type"))
    config = read_config(family, fields).config
    return load_weights(folder, family, config, dtype)


def load_weights(
    folder: HubFolder, family: Family, config: GPTConfig, dtype: torch.dtype | Literal["stored"] | None
) -> GPTModel:
    """The model of a folder whose config.json has been read.

    Raises:
        HubError: there are no weights, or not those of such a model.
    """
    files = folder.weight_files()
    if not files:
        raise HubError(f"{folder.path} holds no weights, only a config: no *.safetensors")
    stored = StoredTensors(files)
    wanted = stored.dtype() if dtype == "stored" else dtype or torch.float32
    return load_model(family, config, stored, wanted)
