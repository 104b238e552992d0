"""Which documents are trained on and which are evaluated: decided by their hashes, never by their order."""

from collections.abc import Generator
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappop, heappush

from experiments.data.corpora import Corpus
from experiments.data.errors import DataError
from experiments.progress import Progress

_HASHES = 2**64


@dataclass(frozen=True)
class Document:
    """A text with its hash, evenly spread over 0 to 2^64 - 1, and its size in UTF-8."""

    text: str
    hash: int
    size_bytes: int


@dataclass(frozen=True)
class Split:
    """The sides of a corpus.

    Documents whose hash is below `held_out_below` are never trained on; of those the `evaluated` ones are the
    validation text. A document thus stays on its side whatever is added to the corpus.
    """

    content_hash: str
    held_out_below: int
    evaluated: frozenset[int]

    def is_trained_on(self, document: Document) -> bool:
        """Whether a document belongs to the training text."""
        return document.hash >= self.held_out_below


def read_documents(
    corpus: Corpus, progress: Progress, doing: str, expected_hash: str | None = None
) -> Generator[Document, None, str]:
    """Stream the documents of a corpus with their hashes.

    Args:
        corpus: what is read.
        progress: told the bytes read.
        doing: what the reading is for.
        expected_hash: content hash of an earlier reading.

    Returns:
        (as the generator's value) the content hash.

    Raises:
        DataError: the content is not what was expected.
    """
    content = blake2b(digest_size=16)
    read = 0
    with progress.task(doing, corpus.total_bytes) as task:
        for number, text in enumerate(corpus, start=1):
            data = text.encode()
            digest = blake2b(data, digest_size=16).digest()
            content.update(digest)
            read += len(data)
            yield Document(text, int.from_bytes(digest[:8], "big"), len(data))
            task.update(read, f"{number} documents")
    content_hash = content.hexdigest()
    if expected_hash not in (None, content_hash):
        raise DataError(f"{corpus.name} was changed while it was read; try again when nothing writes to it")
    return content_hash


def split_corpus(corpus: Corpus, fraction: float, wanted_bytes: int, progress: Progress) -> Split:
    """Read a corpus once and decide its split. Keeps hashes only, of as many documents as will be evaluated.

    Args:
        corpus: what is split.
        fraction: share of the documents that is held out.
        wanted_bytes: documents are evaluated, in the order of their hashes, until they have this much text.
        progress: told the bytes read.

    Raises:
        DataError: the corpus is empty, or has only one document, of which no part can be held out.
    """
    threshold = int(fraction * _HASHES)
    chosen = _LowestHashes(wanted_bytes)
    lowest, highest, count = _HASHES, -1, 0
    documents = read_documents(corpus, progress, "reading the text")
    while True:
        try:
            document = next(documents)
        except StopIteration as end:
            content_hash: str = end.value
            break
        count += 1
        if document.hash < lowest:
            lowest, lowest_bytes = document.hash, document.size_bytes
        highest = max(highest, document.hash)
        if document.hash < threshold:
            chosen.offer(document.hash, document.size_bytes)
    _require_two_documents(corpus, count, lowest, highest)
    if lowest >= threshold:
        threshold = lowest + 1
        chosen.offer(lowest, lowest_bytes)
    threshold = min(threshold, highest)
    return Split(content_hash, threshold, frozenset(hash for hash in chosen.hashes if hash < threshold))


def _require_two_documents(corpus: Corpus, count: int, lowest: int, highest: int) -> None:
    if not count:
        raise DataError(f"there is no text in {corpus.name}")
    if lowest == highest:
        repeated = f" ({count} times the same)" if count > 1 else ""
        raise DataError(
            f"{corpus.name} has one document{repeated}, and documents are either trained on or evaluated; "
            "add files, split it into several, or give one above 64 KiB, which is cut into documents"
        )


@dataclass
class _LowestHashes:
    """The distinct documents of lowest hash that together reach `wanted_bytes`."""

    wanted_bytes: int
    hashes: set[int] = field(default_factory=set)
    _heap: list[tuple[int, int]] = field(default_factory=list)  # (-hash, bytes): the highest hash on top
    _bytes: int = 0

    def offer(self, hash: int, size_bytes: int) -> None:
        is_enough = self._bytes >= self.wanted_bytes
        if hash in self.hashes or (is_enough and hash > -self._heap[0][0]):
            return
        heappush(self._heap, (-hash, size_bytes))
        self.hashes.add(hash)
        self._bytes += size_bytes
        while self._bytes - self._heap[0][1] >= self.wanted_bytes:
            highest, freed = heappop(self._heap)
            self.hashes.remove(-highest)
            self._bytes -= freed
