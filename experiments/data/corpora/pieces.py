"""Reading a text file as a stream, and cutting a large one into documents."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from experiments.data.errors import DataError

WHOLE_BYTES = 64 * 1024
PIECE_CHARACTERS = 16 * 1024
_LONGEST_CHARACTERS = 4 * PIECE_CHARACTERS
_BLOCK_BYTES = 256 * 1024


class UndecodableError(DataError):
    """A file is not text in the encoding that was given."""


def read_text(path: Path, encoding: str) -> Iterator[str]:
    """The text of a file, block after block, line ends as they are.

    Raises:
        UndecodableError: bytes that are not text in `encoding`; names the first one.
        DataError: the file cannot be opened.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    try:
        with path.open("rb") as file:
            while True:
                block = file.read(_BLOCK_BYTES)
                # An error is counted from the bytes that the decoder still holds, not from the block.
                held = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    raise _undecodable(path, encoding, offset - held + error.start, error) from error
                yield text.removeprefix("\ufeff") if offset == 0 else text
                offset += len(block)
                if not block:
                    return
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _undecodable(path: Path, encoding: str, offset: int, error: UnicodeDecodeError) -> UndecodableError:
    byte = error.object[error.start]
    return UndecodableError(
        f"{path} is not {encoding} text: byte 0x{byte:02x} at offset {offset} ({error.reason}); "
        "set `encoding` to the one it was written in (such as latin-1 or cp1252), convert the file, "
        "or leave it out"
    )


def read_documents(path: Path, encoding: str) -> Iterator[str]:
    """The documents of a text file: the file itself up to 64 KiB, else pieces of about 16 Ki characters.

    Pieces end at line breaks. Where a line is very long they end at a space, or anywhere if there is none:
    some corpora are a single line. Text appended to a file leaves all but its last pieces as they are.
    """
    try:
        large = path.stat().st_size > WHOLE_BYTES
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    buffer = ""
    for text in read_text(path, encoding):
        buffer += text
        start = 0
        # A cut looks this far ahead, so that it does not depend on the size of the blocks.
        while large and len(buffer) - start >= _LONGEST_CHARACTERS:
            end = _find_cut(buffer, start)
            yield buffer[start:end]
            start = end
        buffer = buffer[start:]
    while large and len(buffer) > PIECE_CHARACTERS:
        end = _find_cut(buffer, 0)
        yield buffer[:end]
        buffer = buffer[end:]
    if buffer:
        yield buffer


def _find_cut(text: str, start: int) -> int:
    usual = start + PIECE_CHARACTERS
    longest = min(start + _LONGEST_CHARACTERS, len(text))
    return (
        text.rfind("\n", start, usual) + 1
        or text.find("\n", usual, longest) + 1
        or text.rfind(" ", start, usual) + 1
        or min(usual, len(text))
    )
