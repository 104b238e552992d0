"""Bytes as tokens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.data.tokenizers.base import Ids
from experiments.data.tokenizers.storage import save_description


class ByteLevelTokenizer:
    """One token a byte of UTF-8. Byte 0, which text hardly ever holds, separates documents."""

    vocab_size = 256
    separator = 0

    def encode(self, text: str) -> list[int]:
        """The UTF-8 bytes of a text."""
        return list(text.encode())

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """The UTF-8 bytes of each text."""
        return [np.frombuffer(text.encode(), dtype=np.uint8) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of bytes; what is no UTF-8 becomes U+FFFD."""
        return bytes(ids).decode(errors="replace")

    def save(self, folder: Path) -> None:
        """Write the kind; there is nothing else to keep."""
        save_description(folder, "bytes")
