"""The file that says what kind of tokenizer a folder holds. JSON only: loading a tokenizer runs no code."""

import json
from pathlib import Path
from typing import Any

from experiments.data.errors import DataError
from experiments.run_folder import write_atomically

_DESCRIPTION = "gpt_zoo_tokenizer.json"
SUBWORDS = "tokenizer.json"
"""The vocabulary of the `tokenizers` library, under the name by which other programs know it."""


def save_description(folder: Path, kind: str, **values: Any) -> None:
    """Write the kind of a tokenizer, and values that its loading needs."""
    write_atomically(folder / _DESCRIPTION, json.dumps({"kind": kind, **values}))


def load_description(folder: Path) -> dict[str, Any]:
    """What `save_description` wrote; a bare tokenizer.json, as from a hub, is a description too.

    Raises:
        DataError: the folder holds no tokenizer, or a damaged one.
    """
    path = folder / _DESCRIPTION
    try:
        description = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        if (folder / SUBWORDS).is_file():
            return {"kind": "subwords"}
        raise DataError(f"no tokenizer in {folder}: neither {_DESCRIPTION} nor {SUBWORDS}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if not isinstance(description, dict) or "kind" not in description:
        raise DataError(f"{path} is no description of a tokenizer: it has no `kind`")
    return description
