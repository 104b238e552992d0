"""Plain data written as YAML that `load_document` reads back as the same data."""

from typing import Any

import yaml
from yaml.emitter import Emitter
from yaml.representer import SafeRepresenter
from yaml.serializer import Serializer

from registry.yaml_scalars import CoreResolver


class _Dumper(Emitter, Serializer, SafeRepresenter, CoreResolver):
    def __init__(self, stream: Any, **options: Any) -> None:
        emitter = {
            key: options[key] for key in ("canonical", "indent", "width", "allow_unicode", "line_break")
        }
        Emitter.__init__(self, stream, **emitter)
        Serializer.__init__(self)
        SafeRepresenter.__init__(self, default_flow_style=False, sort_keys=False)
        CoreResolver.__init__(self)

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # only double quotes keep these line breaks as they are
        style = '"' if any(separator in data for separator in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def ignore_aliases(self, data: Any) -> bool:
        return True  # the reader refuses anchors


_Dumper.add_representer(str, _Dumper.represent_str)


def dump_document(data: dict[str, Any]) -> str:
    """YAML text of plain data: mappings, lists, text, numbers, booleans, None.

    Raises:
        yaml.representer.RepresenterError: A value is no plain data.
    """
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, width=110)
