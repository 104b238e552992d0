"""Encodings of the tiktoken library."""

import base64
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.data.errors import DataError
from experiments.data.tokenizers.base import Ids
from experiments.data.tokenizers.storage import save_description
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.network import is_reachable

if TYPE_CHECKING:
    import tiktoken

_SERVER = "https://openaipublic.blob.core.windows.net"
_PATIENCE_SECONDS = 1.0
_END_OF_TEXT = "<|endoftext|>"


class TiktokenEncoding:
    """An encoding of tiktoken. Its end-of-text token separates documents."""

    def __init__(self, encoding: "tiktoken.Encoding") -> None:
        self._encoding = encoding
        self.vocab_size = encoding.n_vocab
        self.separator = encoding._special_tokens.get(_END_OF_TEXT)

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        return self._encoding.encode_ordinary(text)

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, encoded in parallel."""
        return [np.array(ids, dtype=np.uint32) for ids in self._encoding.encode_ordinary_batch(list(texts))]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens spelt out."""
        return self._encoding.decode([int(token) for token in ids])

    def save(self, folder: Path) -> None:
        """Write the whole encoding, so that loading it needs no network."""
        encoding = self._encoding
        save_description(
            folder,
            "tiktoken",
            name=encoding.name,
            pattern=encoding._pat_str,
            ranks={
                base64.b64encode(token).decode(): rank for token, rank in encoding._mergeable_ranks.items()
            },
            special_tokens=encoding._special_tokens,
        )


def load_saved_encoding(description: dict[str, Any]) -> TiktokenEncoding:
    """The encoding that `TiktokenEncoding.save` described.

    Raises:
        DataError: tiktoken is missing, or the description is damaged.
    """
    tiktoken = _import_tiktoken()
    try:
        encoding = tiktoken.Encoding(
            description["name"],
            pat_str=description["pattern"],
            mergeable_ranks={base64.b64decode(token): rank for token, rank in description["ranks"].items()},
            special_tokens=description["special_tokens"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"the saved tiktoken encoding is damaged ({error!r}); save it again") from error
    return TiktokenEncoding(encoding)


def download_encoding(name: str) -> TiktokenEncoding:
    """An encoding by its name, from tiktoken's own cache or its server.

    Raises:
        DataError: tiktoken is missing, knows no such encoding, or cannot reach its server.
    """
    tiktoken = _import_tiktoken()
    known = tiktoken.list_encoding_names()
    if name not in known:
        raise DataError(f"tiktoken has no encoding `{name}`; {did_you_mean(name, known)}")
    outcome: list[TiktokenEncoding | Exception] = []

    def load() -> None:
        try:
            outcome.append(TiktokenEncoding(tiktoken.get_encoding(name)))
        except Exception as error:
            outcome.append(error)

    # tiktoken downloads without a time limit; waiting for a thread can end when there is no network.
    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)
    if thread.is_alive() and is_reachable(_SERVER):
        thread.join()
    result = outcome[0] if outcome else TimeoutError(f"{_SERVER} does not answer")
    if isinstance(result, OSError):
        raise DataError(
            f"the tiktoken encoding `{name}` is not on this machine and its server cannot be reached; use "
            "tokenizer: {kind: bytes} or {kind: bpe, vocab_size: ...}, a local tokenizer.json (kind: file), "
            "or load it on a machine with network and point TIKTOKEN_CACHE_DIR to a copy of its cache "
            f"({result})"
        ) from result
    if isinstance(result, Exception):
        raise DataError(f"tiktoken cannot load the encoding `{name}`: {result}") from result
    return result


def _import_tiktoken() -> Any:
    try:
        import tiktoken
    except ImportError as error:
        raise DataError(
            "a `tiktoken` tokenizer needs the package `tiktoken`: pip install gpt-zoo[data]"
        ) from error
    return tiktoken
