"""What every corpus is: documents that can be read again and again, one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from experiments.data.errors import DataError


class Corpus(Protocol):
    """Documents in a fixed order; each iteration reads them anew."""

    @property
    def name(self) -> str:
        """What it is, for messages."""

    @property
    def total_bytes(self) -> int | None:
        """About how much text there is, for progress; None where that is unknown."""

    def __iter__(self) -> Iterator[str]:
        """Stream the documents, none of them empty.

        Raises:
            DataError: the text cannot be read.
        """


@dataclass(frozen=True)
class FirstBytes:
    """The documents at the start of a corpus, whole ones, that together have at most `max_bytes` of UTF-8."""

    corpus: Corpus
    max_bytes: int

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return f"the first {self.max_bytes} bytes of {self.corpus.name}"

    @property
    def total_bytes(self) -> int | None:
        """The limit, or the corpus where that is smaller."""
        whole = self.corpus.total_bytes
        return self.max_bytes if whole is None else min(whole, self.max_bytes)

    def __iter__(self) -> Iterator[str]:
        """Stream documents until the next would exceed the limit."""
        read = 0
        for document in self.corpus:
            size = len(document.encode())
            if read + size > self.max_bytes:
                if not read:
                    raise DataError(
                        f"max_bytes is {self.max_bytes}, but the first document of {self.corpus.name} has "
                        f"{size} bytes and documents are kept whole; raise max_bytes"
                    )
                return
            read += size
            yield document
