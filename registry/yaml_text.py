"""The text of a declaration, whatever bytes a file holds."""

from pathlib import Path

from registry.errors import DeclarationError, Problem

MAX_BYTES = 2**20


def read_text(source: Path | str, name: str) -> str:
    """The text of a file, or `source` itself, held to the same limits.

    Raises:
        DeclarationError: Unreadable, over 1 MiB, or no UTF-8.
    """
    content = (
        source.encode("utf-8", "surrogatepass") if isinstance(source, str) else _read_bytes(source, name)
    )
    if len(content) > MAX_BYTES:
        message = f"a declaration has at most {MAX_BYTES:,} bytes; this has more"
        raise DeclarationError([Problem(name, "", message)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad = error.object[error.start]  # a byte order mark is no longer part of `object`
        place = place_after(error.object[: error.start].decode(), name)
        raise DeclarationError(
            [Problem(place, "", f"byte 0x{bad:02x} is no UTF-8; save the file as UTF-8")]
        ) from None


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DeclarationError([Problem(name, "", f"cannot read the file: {reason}")]) from None


def place_after(before: str, name: str) -> str:
    """The position, counted from 1, of what follows the text `before`."""
    return f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
