"""What text is read, and how it becomes tokens. Imports no numpy and no torch: files are checked at once."""

import codecs
import glob
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from gpt_zoo.config.base import Declared

Paths = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    Field(min_length=1),
]


class StdlibCorpus(Declared):
    """The Python source of the running interpreter's standard library, without its tests: about 12 MB."""

    kind: Literal["stdlib"] = "stdlib"


class TextCorpus(Declared):
    """Text files of your own. Files above 64 KiB are cut at line breaks into documents of about 16 KiB."""

    kind: Literal["text"] = "text"
    paths: Paths
    """Files, folders (read recursively, without hidden files) and globs (`**` crosses folders)."""
    encoding: str = "utf-8"
    """A text encoding that Python knows."""
    suffixes: tuple[str, ...] | None = None
    """Which files of a folder are read, such as `[.txt, .md]`; by default all that are text."""

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            # Encoding, unlike a look-up, also refuses codecs that are not about text, such as `hex`.
            "".encode(codecs.lookup(encoding).name)
        except LookupError as error:
            raise ValueError(f"unknown text encoding `{encoding}`; try utf-8, latin-1 or cp1252") from error
        return encoding


class JsonlCorpus(Declared):
    """Files with one JSON object a line, each one document."""

    kind: Literal["jsonl"] = "jsonl"
    paths: Paths
    """Files, globs, and folders (their `.jsonl` and `.ndjson` files, recursively)."""
    column: str = "text"
    """The key that holds the text."""


class HuggingFaceCorpus(Declared):
    """A dataset of the Hugging Face hub, or a local folder of parquet, JSON or text files.

    Code that comes with a dataset is never run. From the hub, the whole split is downloaded once and kept by
    `datasets`; with `max_bytes`, only what is needed is streamed instead, anew each time.
    """

    kind: Literal["huggingface"] = "huggingface"
    name: str
    """`owner/dataset`, or a folder: a path that is absolute or begins with `.` or `~`."""
    config: str | None = None
    """The subset, where the dataset has several."""
    split: str = "train"
    """Which of its splits is read; train and validation text are both taken from it."""
    column: str = "text"
    """The column that holds the text."""
    revision: str | None = None
    """Branch, tag or commit; a commit makes the text reproducible."""


class BytesTokenizer(Declared):
    """One token a byte of UTF-8: 256 ids, nothing to train."""

    kind: Literal["bytes"] = "bytes"


class BpeTokenizer(Declared):
    """Byte-level byte pair encoding, trained on the training documents of the corpus.

    Source: Sennrich et al. 2016, arXiv:1508.07909; on bytes: Radford et al. 2019 (GPT-2).
    """

    kind: Literal["bpe"] = "bpe"
    vocab_size: int = Field(ge=257, le=1_000_000)
    """Ids wanted: 256 bytes, one separator, and merges. A tiny corpus may yield fewer."""


class FileTokenizer(Declared):
    """A `tokenizer.json` as the `tokenizers` library writes it."""

    kind: Literal["file"] = "file"
    path: str


class TiktokenTokenizer(Declared):
    """An encoding of the tiktoken library."""

    kind: Literal["tiktoken"] = "tiktoken"
    encoding: str
    """Its name, such as `gpt2` or `cl100k_base`."""


Corpus = Annotated[StdlibCorpus | TextCorpus | JsonlCorpus | HuggingFaceCorpus, Field(discriminator="kind")]
Tokenizer = Annotated[
    BytesTokenizer | BpeTokenizer | FileTokenizer | TiktokenTokenizer, Field(discriminator="kind")
]


class DataConfig(Declared):
    """The text of an experiment and its tokens. Every field has a default that works offline."""

    corpus: Corpus = StdlibCorpus()
    tokenizer: Tokenizer = BytesTokenizer()
    validation_fraction: float = Field(default=0.1, gt=0, lt=1)
    """Share of the documents that is never trained on, chosen by their hash."""
    validation_bytes: int = Field(default=65_536, gt=0)
    """Text bytes of the held-out documents that are evaluated, rounded up to whole documents."""
    max_bytes: int | None = Field(default=None, gt=0)
    """Read at most this much text, in whole documents from the start of the corpus."""

    def relative_to(self, folder: Path) -> "DataConfig":
        """The same config with its relative paths taken from `folder`, such as that of a YAML file."""
        corpus, tokenizer = self.corpus, self.tokenizer
        changes: dict[str, Any] = {}
        if isinstance(corpus, TextCorpus | JsonlCorpus):
            paths = tuple(_absolute(path, folder) for path in corpus.paths)
            changes["corpus"] = corpus.model_copy(update={"paths": paths})
        elif isinstance(corpus, HuggingFaceCorpus) and corpus.name.startswith((".", "~")):
            changes["corpus"] = corpus.model_copy(update={"name": _absolute(corpus.name, folder)})
        if isinstance(tokenizer, FileTokenizer):
            changes["tokenizer"] = tokenizer.model_copy(update={"path": _absolute(tokenizer.path, folder)})
        return self.model_copy(update=changes)


def _absolute(path: str, folder: Path) -> str:
    expanded = os.path.expanduser(path)
    if os.path.isabs(expanded):
        return expanded
    base = os.path.abspath(folder)
    if glob.has_magic(expanded) and not os.path.exists(os.path.join(base, expanded)):
        # Only what was written as a pattern is one: the folder's own name may hold brackets.
        base = glob.escape(base)
    return os.path.normpath(os.path.join(base, expanded))
