"""The tokens of an experiment: made once, then mapped from disk."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from experiments.data.cache import cache_root, cached_folder
from experiments.data.config import BpeTokenizer, DataConfig
from experiments.data.corpora import Corpus, open_corpus
from experiments.data.errors import DataError
from experiments.data.split import Split, read_documents, split_corpus
from experiments.data.token_files import completeness_of, load_meta, map_tokens
from experiments.data.tokenize import write_tokens
from experiments.data.tokenizers import (
    Tokenizer,
    build_tokenizer,
    holds_tokenizer,
    identify_tokenizer,
    load_tokenizer,
)
from experiments.progress import Progress, Silent

_FORMAT = 1
"""Raised whenever the same text and config would give other tokens or other files."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """Training and validation text as token ids, each document with the tokenizer's separator before it."""

    train: NDArray[Any]
    """Ids, memory-mapped."""
    validation: NDArray[Any]
    """Ids of the evaluated text, which is the same for every tokenizer; memory-mapped."""
    vocab_size: int
    tokenizer: Tokenizer
    lossless: bool
    """Whether the validation text comes back from its tokens; if not, bits per byte are not comparable."""
    train_bytes: int
    validation_bytes: int
    """UTF-8 bytes of the evaluated text, separators excluded."""
    train_documents: int
    validation_documents: int
    content_hash: str
    """Of all text that was read, in hex."""
    folder: Path
    """Where all this is kept."""

    def has_windows(self, context_length: int) -> bool:
        """Whether both sides hold at least one window of a context length."""
        return min(len(self.train), len(self.validation)) > context_length

    def require(self, context_length: int) -> None:
        """Check that both sides hold at least one window of a context length.

        Raises:
            DataError: a side is shorter than `context_length` + 1 tokens.
        """
        needed = context_length + 1
        fixes = {"train": "give more text", "validation": "give more text or raise validation_bytes"}
        for side, fix in fixes.items():
            count = len(getattr(self, side))
            if count < needed:
                raise DataError(
                    f"a context of {context_length} needs {needed} tokens, but the {side} text has {count}; "
                    f"{fix}, or lower context_length to at most {count - 1}"
                )


def load_tokens(config: DataConfig, progress: Progress = Silent()) -> Tokens:  # noqa: B008 (has no state)
    """The tokens that a config describes, from the cache if the same text was tokenized before.

    Args:
        config: text, tokenizer and split.
        progress: told the bytes read.

    Raises:
        DataError: text or tokenizer cannot be had, or the cache cannot be written.
    """
    identity = identify_tokenizer(config.tokenizer)
    corpus = open_corpus(config, progress)
    split = split_corpus(corpus, config.validation_fraction, config.validation_bytes, progress)
    key = _key(split, identity, validation_bytes=config.validation_bytes)

    def build(folder: Path) -> None:
        tokenizer = _tokenizer_of(config, corpus, split, progress)
        write_tokens(folder, key, corpus, split, tokenizer, progress)

    return open_tokens(cached_folder(cache_root() / "tokens" / key, completeness_of(key), build))


def _key(split: Split, tokenizer: dict[str, Any], **settings: Any) -> str:
    parts = [_FORMAT, split.content_hash, split.held_out_below, tokenizer, settings]
    return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _tokenizer_of(config: DataConfig, corpus: Corpus, split: Split, progress: Progress) -> Tokenizer:
    def training_texts() -> Iterator[str]:
        for document in read_documents(corpus, progress, "training the tokenizer", split.content_hash):
            if split.is_trained_on(document):
                yield document.text

    if not isinstance(config.tokenizer, BpeTokenizer):
        return build_tokenizer(config.tokenizer, training_texts)
    key = _key(split, identify_tokenizer(config.tokenizer))
    folder = cached_folder(
        cache_root() / "tokenizers" / key,
        holds_tokenizer,
        lambda folder: build_tokenizer(config.tokenizer, training_texts).save(folder),
    )
    return load_tokenizer(folder)


def open_tokens(folder: Path) -> Tokens:
    """The tokens that `load_tokens` has put in a folder."""
    meta = load_meta(folder)
    return Tokens(
        train=map_tokens(folder, "train", meta.vocab_size),
        validation=map_tokens(folder, "validation", meta.vocab_size),
        tokenizer=load_tokenizer(folder),
        folder=folder,
        **meta.model_dump(exclude={"key", "train_tokens", "validation_tokens"}),
    )
