"""Writing the two sides of a corpus as tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.corpora import Corpus
from experiments.data.errors import DataError
from experiments.data.split import Document, Split, read_documents
from experiments.data.token_files import TokenMeta, TokenWriter, save_meta
from experiments.data.tokenizers import Tokenizer
from experiments.progress import Progress

_BATCH_BYTES = 1 << 20
LOSSY = (
    "the tokenizer does not keep the text as it is (it drops or replaces some of it): "
    "its bits per byte would look better than those of tokenizers that do, and are left out"
)


@dataclass(frozen=True)
class _Written:
    tokens: int
    bytes: int
    documents: int


def write_tokens(
    folder: Path, key: str, corpus: Corpus, split: Split, tokenizer: Tokenizer, progress: Progress
) -> None:
    """Fill a folder with the tokens of a corpus. Only the validation text is held in memory.

    Args:
        folder: gets the two token files, the tokenizer and the description.
        key: of the cache, kept in the description.
        corpus: read once.
        split: which document goes where.
        tokenizer: turns each document into ids.
        progress: told the bytes read.

    Raises:
        DataError: the corpus was changed since it was split, or yields no tokens.
    """
    held_out: dict[int, Document] = {}

    def training_documents() -> Iterator[Document]:
        for document in read_documents(corpus, progress, "tokenizing", split.content_hash):
            if split.is_trained_on(document):
                yield document
            elif document.hash in split.evaluated:
                held_out[document.hash] = document

    train = _write_documents(folder / "train.bin", training_documents(), tokenizer)
    # In the order of the hashes, so that files which are renamed give the same evaluation.
    evaluated = [held_out[hash] for hash in sorted(held_out)]
    validation = _write_documents(folder / "validation.bin", iter(evaluated), tokenizer)
    if not train.tokens or not validation.tokens:
        raise DataError(f"the tokenizer makes no tokens of {corpus.name}; try another")
    lossless = _keeps_text(tokenizer, evaluated)
    if not lossless:
        progress.message(LOSSY)
    tokenizer.save(folder)
    meta = TokenMeta(
        key=key,
        content_hash=split.content_hash,
        vocab_size=tokenizer.vocab_size,
        lossless=lossless,
        train_tokens=train.tokens,
        train_bytes=train.bytes,
        train_documents=train.documents,
        validation_tokens=validation.tokens,
        validation_bytes=validation.bytes,
        validation_documents=validation.documents,
    )
    save_meta(folder, meta)


def _keeps_text(tokenizer: Tokenizer, documents: list[Document]) -> bool:
    """Whether the text comes back from its tokens."""
    return all(tokenizer.decode(tokenizer.encode(document.text)) == document.text for document in documents)


def _write_documents(path: Path, documents: Iterator[Document], tokenizer: Tokenizer) -> _Written:
    separator = np.array([] if tokenizer.separator is None else [tokenizer.separator], dtype=np.uint32)
    written_bytes = count = 0
    with TokenWriter(path, tokenizer.vocab_size) as writer:
        for batch in _in_batches(documents):
            for ids in tokenizer.encode_batch([document.text for document in batch]):
                writer.append(separator)
                writer.append(ids)
            written_bytes += sum(document.size_bytes for document in batch)
            count += len(batch)
    return _Written(writer.tokens, written_bytes, count)


def _in_batches(documents: Iterator[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size_bytes = 0
    for document in documents:
        batch.append(document)
        size_bytes += document.size_bytes
        if size_bytes >= _BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch
