"""Tokenizers of the `tokenizers` library: trained here, or from a tokenizer.json."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tokenizers

from experiments.data.errors import DataError
from experiments.data.tokenizers.base import Ids
from experiments.data.tokenizers.storage import SUBWORDS, save_description
from experiments.run_folder import write_atomically

END_OF_TEXT = "<|endoftext|>"
_KNOWN_SEPARATORS = (END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>", "[EOS]", "<|eot_id|>", "<|im_end|>")


class SubwordTokenizer:
    """A vocabulary of the `tokenizers` library. The first well-known end-of-text token separates documents.

    Args:
        tokenizer: changed so that it encodes all of a text, and nothing but the text.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = (
            True  # as the ordinary text that they are, if a text spells them out
        )
        self._tokenizer = tokenizer
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        self.vocab_size = max(vocabulary.values(), default=-1) + 1
        self.separator = next((vocabulary[name] for name in _KNOWN_SEPARATORS if name in vocabulary), None)

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, encoded in parallel."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.uint32) for encoding in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens spelt out."""
        return str(self._tokenizer.decode([int(token) for token in ids], skip_special_tokens=False))

    def save(self, folder: Path) -> None:
        """Write the vocabulary and the kind."""
        write_atomically(folder / SUBWORDS, self._tokenizer.to_str())
        save_description(folder, "subwords")


def load_subwords(path: Path) -> SubwordTokenizer:
    """The tokenizer of a tokenizer.json.

    Raises:
        DataError: there is no such file, or it is none of the `tokenizers` library.
    """
    try:
        return SubwordTokenizer(tokenizers.Tokenizer.from_str(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise DataError(f"no tokenizer file {path}; check `path`") from error
    except Exception as error:
        # The library raises plain Exception for every kind of damage.
        raise DataError(
            f"{path} is no tokenizer.json that tokenizers {tokenizers.__version__} can read: {error}"
        ) from error


def train_bpe(texts: Iterator[str], vocab_size: int) -> SubwordTokenizer:
    """Learn a byte-level BPE; the same texts give the same one.

    Args:
        texts: what is learnt from, streamed; memory grows with the number of distinct words only.
        vocab_size: bytes, separator and merges together; fewer if the texts have no more pairs.
    """
    from tokenizers import decoders, models, pre_tokenizers, trainers

    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return SubwordTokenizer(tokenizer)
