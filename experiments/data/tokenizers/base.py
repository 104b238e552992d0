"""What every tokenizer can do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

Ids = NDArray[Any]
"""Token ids, of some unsigned integer type."""


class Tokenizer(Protocol):
    """Text to token ids and back. What looks like a special token in a text is ordinary text."""

    @property
    def vocab_size(self) -> int:
        """One more than the largest id."""

    @property
    def separator(self) -> int | None:
        """The id that stands before each document; None if the vocabulary has none."""

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without a separator."""

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, without separators."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; bytes that are no UTF-8 become U+FFFD."""

    def save(self, folder: Path) -> None:
        """Write what `load_tokenizer` needs into a folder, as JSON."""
