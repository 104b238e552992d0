"""A folder as the Hugging Face hub has it: config.json, weights as safetensors, the tokenizer's files.

Nothing in it is executed: JSON and safetensors are data, and pickles are not opened.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpt_zoo.config.base import tell_names
from gpt_zoo.families.engine.errors import HubError

CONFIG = "config.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
TOKENIZER_FILES = (
    "gpt_zoo_tokenizer.json",  # our own, which a model of bytes has
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
    "generation_config.json",
)
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")


@dataclass(frozen=True)
class HubFolder:
    """One folder."""

    path: Path

    def load_config(self) -> dict[str, Any]:
        """The fields of config.json.

        Raises:
            HubError: there is none, or it holds no fields.
        """
        return _load_object(self.path / CONFIG)

    def weight_files(self) -> list[Path]:
        """The files of the weights; none if the folder has only a config.

        Raises:
            HubError: the weights are pickles, or the index names files that are not there.
        """
        if (self.path / WEIGHTS).is_file():
            return [self.path / WEIGHTS]
        if (self.path / INDEX).is_file():
            return self._shards()
        pickles = sorted(path.name for pattern in _PICKLES for path in self.path.glob(pattern))
        if pickles:
            raise HubError(
                f"{self.path} has its weights in {tell_names(pickles)}, which can run code when opened and "
                "are never unpickled; where they come from a source that you trust, convert them with "
                "transformers: model.save_pretrained(folder, safe_serialization=True)"
            )
        return []

    def _shards(self) -> list[Path]:
        weight_map = _load_object(self.path / INDEX).get("weight_map")
        if not isinstance(weight_map, dict) or not weight_map:
            raise HubError(f"{self.path / INDEX} has no `weight_map` of tensors to files")
        names = set(weight_map.values()) if all(isinstance(v, str) for v in weight_map.values()) else {""}
        for name in names:
            # A folder's files lie in it: an index must not lead anywhere else.
            if Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
                raise HubError(
                    f"{self.path / INDEX} must name .safetensors files of its folder, got {name!r}"
                )
        missing = [name for name in names if not (self.path / name).is_file()]
        if missing:
            raise HubError(f"{self.path} lacks {tell_names(missing)}, which {INDEX} names; copy it again")
        return [self.path / name for name in sorted(names)]

    def tokenizer_files(self) -> list[Path]:
        """What belongs to the tokenizer, and how text is generated.

        Raises:
            HubError: one is damaged, or leads out of the folder: it would be copied, and perhaps published.
        """
        files = [self.path / name for name in TOKENIZER_FILES if (self.path / name).is_file()]
        own = self.path.resolve()
        # In the cache of the hub a folder's files lie beside it: OWNER/snapshots/REVISION and OWNER/blobs.
        places = [own, *(parent / "blobs" for parent in own.parents[1:2])]
        for file in files:
            if not any(file.resolve().is_relative_to(place) for place in places):
                raise HubError(
                    f"{file} leads out of its folder, to {file.resolve()}; put the file itself there"
                )
            if file.suffix == ".json":
                _load_object(file)
        return files


def _load_object(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():
        raise HubError(f"{path} is no file")
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise HubError(
            f"{path.parent} is no folder of the Hugging Face hub: it holds no {path.name}"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise HubError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise HubError(f"{path} must hold an object, got {type(data).__name__}")
    return data


def copy_tokenizer(source: Path, target: Path) -> list[str]:
    """Copy the tokenizer's files, whichever there are, in the place of those of another; and name them."""
    files = HubFolder(source).tokenizer_files()
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        (target / name).unlink(missing_ok=True)
    for file in files:
        shutil.copyfile(file, target / file.name)
    return [file.name for file in files]
