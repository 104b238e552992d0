"""Where a value stands inside a declaration: `("layers", 0, "attention")`, written `layers[0].attention`."""

import re
from collections.abc import Iterable

KeyPath = tuple[str | int, ...]

_STEP = re.compile(r"(?:^|\.)(?P<key>[^.\[\]=\s]+)|\[(?P<index>[0-9]{1,6})\]")


def format_key_path(path: Iterable[str | int]) -> str:
    """The written form of a path; empty for the top of a document."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        else:
            written += f".{step}" if written else step
    return written


def parse_key_path(written: str) -> KeyPath:
    """The path of its written form.

    Raises:
        ValueError: `written` is no key path.
    """
    path: list[str | int] = []
    position = 0
    while position < len(written):
        step = _STEP.match(written, position)
        if step is None:
            break
        path.append(step["key"] if step["key"] is not None else int(step["index"]))
        position = step.end()
    if position < len(written) or not path or isinstance(path[0], int):
        raise ValueError(
            f"a key path looks like `n_heads` or `layers[0].attention.n_kv_heads`, got `{written}`"
        )
    return tuple(path)
