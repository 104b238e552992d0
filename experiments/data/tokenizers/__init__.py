"""How text becomes tokens: one module a kind of tokenizer."""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from experiments.data import config as kinds
from experiments.data.errors import DataError
from experiments.data.tokenizers.base import Tokenizer
from experiments.data.tokenizers.storage import SUBWORDS, load_description

__all__ = ["Tokenizer", "build_tokenizer", "holds_tokenizer", "identify_tokenizer", "load_tokenizer"]


def build_tokenizer(config: kinds.Tokenizer, training_texts: Callable[[], Iterator[str]]) -> Tokenizer:
    """The tokenizer that a config names.

    Args:
        config: which one.
        training_texts: streams the documents that it may learn from; called only if it learns.

    Raises:
        DataError: a file, a package or the network that it needs is missing.
    """
    match config:
        case kinds.BytesTokenizer():
            from experiments.data.tokenizers.bytes import ByteLevelTokenizer

            return ByteLevelTokenizer()
        case kinds.BpeTokenizer():
            from experiments.data.tokenizers.subwords import train_bpe

            return train_bpe(training_texts(), config.vocab_size)
        case kinds.FileTokenizer():
            from experiments.data.tokenizers.subwords import load_subwords

            return load_subwords(Path(config.path).expanduser())
        case kinds.TiktokenTokenizer():
            from experiments.data.tokenizers.tiktoken import download_encoding

            return download_encoding(config.encoding)


def identify_tokenizer(config: kinds.Tokenizer) -> dict[str, Any]:
    """What tells a tokenizer from others, given its training text: a file by its content, not by its path.

    Raises:
        DataError: the file does not exist.
    """
    if not isinstance(config, kinds.FileTokenizer):
        return config.model_dump()
    try:
        content = Path(config.path).expanduser().read_bytes()
    except OSError as error:
        raise DataError(f"no tokenizer file {config.path}: {error.strerror}; check `path`") from error
    return {"kind": config.kind, "content": blake2b(content, digest_size=16).hexdigest()}


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer that was saved in a folder, or a bare tokenizer.json there.

    Raises:
        DataError: there is none, it is damaged, or the package that it needs is missing.
    """
    description = load_description(folder)
    match description["kind"]:
        case "bytes":
            from experiments.data.tokenizers.bytes import ByteLevelTokenizer

            return ByteLevelTokenizer()
        case "subwords":
            from experiments.data.tokenizers.subwords import load_subwords

            return load_subwords(folder / SUBWORDS)
        case "tiktoken":
            from experiments.data.tokenizers.tiktoken import load_saved_encoding

            return load_saved_encoding(description)
        case other:
            raise DataError(
                f"the tokenizer in {folder} is of a kind `{other}` that this version does not know"
            )


def holds_tokenizer(folder: Path) -> bool:
    """Whether `load_tokenizer` would find a sound tokenizer in a folder."""
    try:
        load_tokenizer(folder)
    except DataError:
        return False
    return True
