"""Where text comes from: one module a kind of corpus."""

from experiments.data.config import DataConfig, HuggingFaceCorpus, JsonlCorpus, StdlibCorpus, TextCorpus
from experiments.data.corpora.base import Corpus, FirstBytes
from experiments.progress import Progress

__all__ = ["Corpus", "open_corpus"]


def open_corpus(config: DataConfig, progress: Progress) -> Corpus:
    """The corpus that a config names, ready to be read.

    Raises:
        DataError: no such files or dataset, or a package or the network that it needs is missing.
    """
    corpus = _open_kind(config, progress)
    return corpus if config.max_bytes is None else FirstBytes(corpus, config.max_bytes)


def _open_kind(config: DataConfig, progress: Progress) -> Corpus:
    match config.corpus:
        case StdlibCorpus():
            from experiments.data.corpora.stdlib import open_stdlib

            return open_stdlib(progress)
        case TextCorpus() as text:
            from experiments.data.corpora.text import open_text

            return open_text(text, progress)
        case JsonlCorpus() as jsonl:
            from experiments.data.corpora.jsonl import open_jsonl

            return open_jsonl(jsonl)
        case HuggingFaceCorpus() as hub:
            from experiments.data.corpora.huggingface import open_huggingface

            return open_huggingface(hub, stream=config.max_bytes is not None)
