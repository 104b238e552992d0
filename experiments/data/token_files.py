"""The files of a token cache: `train.bin`, `validation.bin`, the tokenizer, and `meta.json` about them."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from experiments.data.tokenizers import holds_tokenizer
from experiments.data.tokenizers.base import Ids
from experiments.run_folder import write_atomically
from gpt_zoo.config.base import Declared

_BUFFER_TOKENS = 1 << 20


class TokenMeta(Declared):
    """What the token files of a folder hold."""

    key: str
    """Of the text, the tokenizer and the split."""
    content_hash: str
    vocab_size: int
    lossless: bool
    train_tokens: int
    train_bytes: int
    train_documents: int
    validation_tokens: int
    validation_bytes: int
    validation_documents: int


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """The smallest type that holds all ids; little-endian, so that a cache can be carried elsewhere."""
    return np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")


class TokenWriter:
    """Appends token ids to a file, a buffer at a time."""

    def __init__(self, path: Path, vocab_size: int) -> None:
        self.tokens = 0
        self._dtype = token_dtype(vocab_size)
        self._file = path.open("wb")
        self._waiting: list[Ids] = []
        self._waiting_tokens = 0

    def append(self, ids: Ids) -> None:
        """Add ids to the end of the file."""
        self._waiting.append(ids)
        self._waiting_tokens += len(ids)
        self.tokens += len(ids)
        if self._waiting_tokens >= _BUFFER_TOKENS:
            self._write()

    def _write(self) -> None:
        if self._waiting:
            # Not `ndarray.tofile`, whose errors do not say that the disk is full.
            self._file.write(np.concatenate(self._waiting).astype(self._dtype).tobytes())
            self._waiting, self._waiting_tokens = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self._write()
                self._file.flush()
                os.fsync(self._file.fileno())


def save_meta(folder: Path, meta: TokenMeta) -> None:
    """Write the description of a folder's token files."""
    write_atomically(folder / "meta.json", meta.model_dump_json(indent=1))


def load_meta(folder: Path) -> TokenMeta:
    """The description of a folder's token files.

    Raises:
        OSError, ValueError: it is missing or damaged.
    """
    return TokenMeta.model_validate_json((folder / "meta.json").read_bytes())


def completeness_of(key: str) -> Callable[[Path], bool]:
    """A check whether a folder holds all that belongs to `key`: a torn or foreign one is not trusted."""

    def is_complete(folder: Path) -> bool:
        try:
            meta = load_meta(folder)
            width = token_dtype(meta.vocab_size).itemsize
            sizes = {"train": meta.train_tokens * width, "validation": meta.validation_tokens * width}
            whole = all((folder / f"{side}.bin").stat().st_size == size for side, size in sizes.items())
            return whole and meta.key == key and holds_tokenizer(folder)
        except (OSError, ValidationError):
            return False

    return is_complete


def map_tokens(folder: Path, side: str, vocab_size: int) -> NDArray[Any]:
    """The tokens of `train` or `validation`, left on disk until they are used."""
    return np.memmap(folder / f"{side}.bin", dtype=token_dtype(vocab_size), mode="r")
