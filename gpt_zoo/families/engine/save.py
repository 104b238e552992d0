"""A model of ours written as a folder that `transformers` loads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import safetensors

from gpt_zoo.families.engine.hub_folder import CONFIG, INDEX, WEIGHTS, copy_tokenizer
from gpt_zoo.families.engine.write_config import write_config
from gpt_zoo.families.engine.write_weights import SHARD_BYTES, dtype_name, write_weights
from gpt_zoo.families.family import Family
from gpt_zoo.files import written_whole
from gpt_zoo.model import GPTModel

_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")


def save_model(
    model: GPTModel,
    folder: Path,
    family: Family,
    tokenizer: Path | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write config.json, weights, and the tokenizer's files from another folder.

    Weights of an earlier export in the folder are taken away.

    Raises:
        UnexpressibleError: the family cannot express the variant.
        OSError: the disk is full, or the folder cannot be written.
    """
    config = {**write_config(family, model.config), "torch_dtype": dtype_name(model)}
    try:
        with written_whole(folder, last=CONFIG) as partial:
            names = write_weights(family, model, partial, shard_bytes)
            (partial / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    except safetensors.SafetensorError as error:  # is no OSError, though nothing else can go wrong here
        raise OSError(f"the weights cannot be written to {folder}: {error}") from error
    for path in folder.iterdir():
        if (path.name in (WEIGHTS, INDEX) or _SHARD.fullmatch(path.name)) and path.name not in names:
            path.unlink()
    if tokenizer is not None:
        copy_tokenizer(tokenizer, folder)
