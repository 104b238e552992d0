"""From YAML text to PyYAML's tree of nodes, refusing on the way what could run code or grow without bound."""

from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from registry.yaml_scalars import CoreResolver

MAX_DEPTH = 50
MAX_VALUES = 20_000
"""More than anybody declares; PyYAML takes a second for them."""


class RefusedError(yaml.MarkedYAMLError):
    """Proper YAML which has no place in a declaration."""

    def __init__(self, message: str, mark: yaml.Mark) -> None:
        super().__init__(problem=message, problem_mark=mark)


class _Loader(Reader, Scanner, Parser, Composer, CoreResolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        CoreResolver.__init__(self)
        self._depth = 0
        self._values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise RefusedError(
                "anchors (&) and aliases (*) are not accepted; use `extends` to share values",
                event.start_mark,
            )
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise RefusedError(
                f"tags are not accepted, found `{tag}`; write the plain value", event.start_mark
            )
        if self._depth >= MAX_DEPTH:
            raise RefusedError(f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
        self._values += 1
        if self._values > MAX_VALUES:
            raise RefusedError(
                f"more than {MAX_VALUES:,} keys and values in one declaration", event.start_mark
            )
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def compose_single(text: str) -> yaml.Node | None:
    """The only document of `text`; None where there is none.

    Raises:
        yaml.YAMLError: No YAML; or anchors, aliases, tags, deep nesting, a second document.
    """
    loader = _Loader(text)
    loader.get_event()  # type: ignore[no-untyped-call]  # the start of the stream
    if loader.check_event(yaml.StreamEndEvent):
        return None
    node = loader.compose_document()
    if not loader.check_event(yaml.StreamEndEvent):
        event: Any = loader.peek_event()  # type: ignore[no-untyped-call]
        raise RefusedError("a file holds one document; found a second one", event.start_mark)
    return node
